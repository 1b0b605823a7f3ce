import CGPUKernels
import CPUCompute
import DeviceCompute
import Devices
import Models

/// What the host gives to a step: the tokens' embeddings, the rotary angles and the table of the one group
/// that dense networks are. All of it lies together, so that one copy takes it to the device.
final class StepInputs {
  /// Where the parts begin for so many tokens, in bytes.
  struct Layout {
    let tokenCount: Int
    let pairCount: Int
    let columnCount: Int

    /// Numbers from row to row of the hidden state.
    var stride: Int { (columnCount + 15) / 16 * 16 }
    var cosines: Int { 256 }
    var sines: Int { cosines + Self.whole(4 * tokenCount * pairCount) }
    var hidden: Int { sines + Self.whole(4 * tokenCount * pairCount) }
    var byteCount: Int { hidden + 4 * tokenCount * stride }

    private static func whole(_ byteCount: Int) -> Int { (byteCount + 255) / 256 * 256 }
  }

  private let memory: PinnedMemory
  private let angles: RotaryAngles
  private let columnCount: Int

  /// - Throws: `DeviceError`, `HostMemoryError.cannotAllocate`.
  init(_ model: DecoderModel, tokenCapacity: Int, device: any Device) throws {
    columnCount = model.hyperparameters.hiddenSize
    angles = try RotaryAngles(rowCount: tokenCapacity, pairCount: model.rotary.pairCount)
    let largest = Layout(
      tokenCount: tokenCapacity, pairCount: angles.pairCount, columnCount: columnCount)
    memory = try device.allocatePinned(byteCount: largest.byteCount, purpose: "a step's inputs")
  }

  var byteCount: Int { memory.byteCount }

  func layout(tokenCount: Int) -> Layout {
    Layout(tokenCount: tokenCount, pairCount: angles.pairCount, columnCount: columnCount)
  }

  /// The bytes of a step.
  func span(_ layout: Layout) -> PinnedSpan { memory.span(0, byteCount: layout.byteCount) }

  /// The hidden state as it lies here. [tokens, hidden]
  func hiddenSpan(_ layout: Layout) -> PinnedSpan {
    memory.span(layout.hidden, byteCount: 4 * layout.tokenCount * layout.stride)
  }

  func hidden(_ layout: Layout) -> Activation {
    Activation(
      base: (memory.base + layout.hidden).assumingMemoryBound(to: Float.self),
      rowCount: layout.tokenCount, columnCount: columnCount, stride: layout.stride)
  }

  /// Fills all parts. Nothing may read them meanwhile.
  func fill(_ tokens: [Int], model: DecoderModel, position: Int, compute: CPUBackend) {
    let layout = layout(tokenCount: tokens.count)
    let group = gpu_expert_group(
      slot: 0, expert: 0, first: 0, count: UInt32(tokens.count), reserved: 0)
    memory.base.storeBytes(of: group, as: gpu_expert_group.self)
    model.rotary.fill(angles, from: position, count: tokens.count)
    let cosines = (memory.base + layout.cosines).assumingMemoryBound(to: Float.self)
    let sines = (memory.base + layout.sines).assumingMemoryBound(to: Float.self)
    let pairs = angles.pairCount
    let hidden = hidden(layout)
    for (row, token) in tokens.enumerated() {
      (cosines + row * pairs).update(from: angles.cosines(row), count: pairs)
      (sines + row * pairs).update(from: angles.sines(row), count: pairs)
      compute.readRow(token, of: model.embedding, into: hidden.row(row))
      for column in columnCount..<layout.stride { hidden.row(row)[column] = 0 }
    }
  }

  /// The angles of the step that was filled last, for layers on the processor.
  var hostAngles: RotaryAngles { angles }
}
