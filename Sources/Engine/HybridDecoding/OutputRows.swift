import CPUCompute
import Devices
import Models

/// The wanted rows of a step, and their logits as the host reads them: some rows at a time, since a row
/// of logits can have 200,000 numbers.
final class OutputRows {
  /// Rows whose logits are computed at once.
  static let rowsAtOnce = 16

  private let step: DeviceStep
  private let compute: CPUBackend
  private let memory: PinnedMemory
  private let done: any DeviceEvent
  private let workspace = Workspace()
  private var rowCount = 0
  /// The rows whose numbers are in `memory`, or on their way.
  private var current: Range<Int>?

  /// - Throws: `DeviceError`.
  init(
    _ step: DeviceStep, compute: CPUBackend, tokenCapacity: Int, device: any Device
  ) throws {
    self.step = step
    self.compute = compute
    memory = try device.allocatePinned(
      byteCount: Self.byteCount(step, tokenCapacity: tokenCapacity), purpose: "logits")
    done = try device.makeEvent()
  }

  static func byteCount(_ step: DeviceStep, tokenCapacity: Int) -> Int {
    4 * min(rowsAtOnce, tokenCapacity) * step.outputStride
  }

  /// The last step's rows are valid no more.
  func forget() { (rowCount, current) = (0, nil) }

  /// Submits the final norm of the wanted rows, and the logits of the first of them.
  func begin(_ rows: Range<Int>) throws {
    rowCount = rows.count
    try step.submitFinalNorm(rows: rows)
    try submit(0..<min(Self.rowsAtOnce, rowCount))
  }

  private func submit(_ rows: Range<Int>) throws {
    current = nil
    try step.submitOutput(
      rows: rows, to: memory.span(0, byteCount: 4 * rows.count * step.outputStride))
    try step.stream.record(done)
    current = rows
  }

  /// - Throws: `DeviceError`, `HostMemoryError`, what `body` throws.
  func withLogits(
    ofRows rows: Range<Int>, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    precondition(rows.upperBound <= rowCount, "no step has run, or it wanted fewer rows")
    for first in stride(from: 0, to: rowCount, by: Self.rowsAtOnce) {
      let part = first..<min(first + Self.rowsAtOnce, rowCount)
      let wanted = part.clamped(to: rows)
      guard !wanted.isEmpty else { continue }
      if current != part { try submit(part) }
      try done.synchronize()
      let mark = workspace.mark
      defer { workspace.release(to: mark) }
      let logits = try logits(part)
      for row in wanted {
        try body(
          row,
          UnsafeBufferPointer(
            start: logits.row(row - part.lowerBound), count: logits.columnCount))
      }
    }
  }

  /// The numbers as they came, or the host's product of them.
  private func logits(_ rows: Range<Int>) throws -> Activation {
    let head = step.model.output
    let isHost = step.map.output == nil
    let numbers = Activation(
      base: memory.base.assumingMemoryBound(to: Float.self), rowCount: rows.count,
      columnCount: isHost ? head.columnCount : head.rowCount, stride: step.outputStride)
    guard isHost else { return numbers }
    let logits = try workspace.take(rows: rows.count, columns: head.rowCount)
    try compute.multiply([MatrixProduct(numbers, head, into: logits)])
    return logits
  }
}
