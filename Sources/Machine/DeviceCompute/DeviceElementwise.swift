import CGPUKernels
import CPUCompute
import Devices

/// Norms, rotations and what else touches rows number by number.
extension DeviceOperations {
  /// Threads of a block where the kernel takes any number.
  static let elementwiseThreads = 128

  /// x += change, where there is one, then y = x / sqrt(mean(x²) + epsilon) · weight.
  /// - Parameters:
  ///   - segments: a row is so many parts of equal length, each with a norm of its own; 1 with `change`.
  ///   - weight: address of the parts' length of F32.
  ///   - y: may be `x`; nil: only the sum.
  public func normalize(
    _ x: DeviceRows, adding change: DeviceRows? = nil, weight: UInt64, segments: Int = 1,
    epsilon: Float, into y: DeviceRows?, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(x.columnCount % segments == 0 && (change == nil || segments == 1))
    let arguments = gpu_rms_norm_arguments(
      x: x.address, change: change?.address ?? 0, weight: weight, y: y?.address ?? 0,
      x_stride: u32(x.stride), change_stride: u32(change?.stride ?? 0),
      y_stride: u32(y?.stride ?? 0), rows: u32(x.rowCount), segments: u32(segments),
      columns: u32(x.columnCount / segments), epsilon: epsilon)
    // One warp for a short part, such as a head; the sixteen sums occupy no more.
    let threads = x.columnCount / segments <= 256 ? 32 : 128
    try launch(
      .rmsNorm, grid: LaunchSize(x.rowCount, segments), block: threads, arguments, on: stream)
  }

  /// x += change.
  public func add(
    _ change: DeviceRows, to x: DeviceRows, on stream: any DeviceStream
  ) throws(DeviceError) {
    try normalize(x, adding: change, weight: 0, epsilon: 0, into: nil, on: stream)
  }

  /// Rotates pairs of every head.
  /// - Parameters:
  ///   - x: [rows, heads × headLength]
  ///   - offset: where the rotated numbers begin in a head.
  ///   - cosines, sines: [rows, pairs]
  public func rotate(
    _ x: DeviceRows, headCount: Int, headLength: Int, offset: Int, cosines: DeviceRows,
    sines: DeviceRows, layout: RotaryLayout, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(headCount * headLength <= x.stride && cosines.stride == sines.stride)
    precondition(offset + 2 * cosines.columnCount <= headLength)
    let arguments = gpu_rotate_arguments(
      x: x.address, cosines: cosines.address, sines: sines.address, x_stride: u32(x.stride),
      rows: u32(x.rowCount), heads: u32(headCount), head_length: u32(headLength),
      offset: u32(offset), pairs: u32(cosines.columnCount), halves: layout == .halves ? 1 : 0,
      angle_stride: u32(cosines.stride))
    try launch(
      .rotate, grid: LaunchSize(x.rowCount, headCount), block: 32, arguments, on: stream)
  }

  /// Copies the same columns of every row and head.
  public func copyColumns(
    _ x: DeviceHeads, into y: DeviceHeads, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(x.first.rowCount == y.first.rowCount && x.headCount == y.headCount)
    precondition(x.first.columnCount == y.first.columnCount)
    let arguments = gpu_copy_columns_arguments(
      x: x.first.address, y: y.first.address, rows: u32(x.first.rowCount),
      heads: u32(x.headCount), columns: u32(x.first.columnCount), x_stride: u32(x.first.stride),
      x_head_stride: u32(x.headStride), y_stride: u32(y.first.stride),
      y_head_stride: u32(y.headStride))
    try launch(
      .copyColumns, grid: LaunchSize(x.first.rowCount, x.headCount), block: 64, arguments,
      on: stream)
  }

  /// x[row] *= σ(gate[row]). gate: [rows, 1]
  public func weigh(
    _ x: DeviceRows, by gate: DeviceRows, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(gate.rowCount == x.rowCount)
    let arguments = gpu_weigh_arguments(
      x: x.address, gate: gate.address, rows: u32(x.rowCount), columns: u32(x.columnCount),
      x_stride: u32(x.stride), gate_stride: u32(gate.stride))
    try launch(
      .weigh, grid: LaunchSize(x.rowCount), block: Self.elementwiseThreads, arguments, on: stream)
  }

  /// Makes all that the stream wrote before visible to the host, then writes a word.
  public func publish(
    _ value: UInt32, to word: PinnedWord, on stream: any DeviceStream
  ) throws(DeviceError) {
    let arguments = gpu_publish_arguments(word: word.deviceAddress, value: value)
    try launch(.publish, grid: LaunchSize(1), block: 1, arguments, on: stream)
  }
}
