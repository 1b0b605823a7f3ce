import CGPUKernels
import CPUCompute
import Devices

/// How attention is spread over a device.
///
/// A block of threads takes one head of one row, which fills a device as soon as there are some rows. In
/// decode there is one, and a long context would be read by as few processors as there are heads: there
/// the blocks of positions are computed apart and joined afterwards, with the same bits.
extension DeviceOperations {
  /// Positions whose scores share a maximum; part of the arithmetic.
  private static let positionsPerBlock = 256
  /// From so many heads on a row's positions are not taken in parts: about what large devices have of
  /// multiprocessors.
  private static let fillingHeadCount = 128
  /// Blocks of threads that parts are made for: a few for each multiprocessor of a large device.
  private static let wantedBlockCount = 512

  /// Numbers of F32 scratch that a call of attention needs at most, however many rows it has, where there
  /// are `positionCount` positions.
  public static func attentionScratchCount(shape: AttentionShape, positionCount: Int) -> Int {
    let all = parts(positionCount, of: positionsPerBlock)
    // A window may begin anywhere in a block.
    let blocks = min(all, shape.window.map { parts($0 - 1, of: positionsPerBlock) + 1 } ?? all)
    guard blocks > 1, shape.headCount < fillingHeadCount else { return 0 }
    return shape.headCount * Int(gpu_attention_scratch(u32(shape.valueLength), u32(blocks)))
  }

  /// Launches attention, in parts where that helps and there is scratch.
  func launch(
    _ arguments: gpu_attention_arguments, shape: AttentionShape, on stream: any DeviceStream
  ) throws(DeviceError) {
    var arguments = arguments
    let rows = Int(arguments.rows)
    let last = Int(arguments.position) + rows - 1
    let first = shape.window.map { max(0, last - $0 + 1) } ?? 0
    let blocks = last / Self.positionsPerBlock - first / Self.positionsPerBlock + 1
    let isSplit =
      rows == 1 && blocks > 1 && shape.headCount < Self.fillingHeadCount && arguments.scratch != 0
    if isSplit { arguments.blocks = u32(blocks) } else { arguments.scratch = 0 }
    // One thread for each position that is computed at once, as far as there are positions; but not so
    // few that the values' columns wait for each other.
    let threads = min(max((last - first + 32) / 32 * 32, 64), Self.positionsPerBlock)
    let parts = isSplit ? min(blocks, max(1, Self.wantedBlockCount / shape.headCount)) : 1
    try launch(
      .attention, grid: LaunchSize(rows, shape.headCount, parts), block: threads,
      sharedByteCount: Int(gpu_attention_shared(arguments.key_length, arguments.value_length)),
      arguments, on: stream)
    guard isSplit else { return }
    let merge = gpu_attention_merge_arguments(
      scratch: arguments.scratch, out: arguments.out, sinks: arguments.sinks,
      out_stride: arguments.out_stride, rows: arguments.rows, heads: arguments.heads,
      value_length: arguments.value_length, position: arguments.position,
      window: arguments.window, blocks: arguments.blocks)
    try launch(
      .attentionMerge, grid: LaunchSize(rows, shape.headCount), block: Self.elementwiseThreads,
      merge, on: stream)
  }
}
