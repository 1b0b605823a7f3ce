import CGPUKernels
import CPUCompute
import Devices

/// Products of packed weights with records, and the records themselves.
extension DeviceOperations {
  /// Threads that share a tile: sixteen rows in four segments.
  private static let tileThreads = 64
  /// Tokens that a thread takes at once where there is more than one.
  private static let threadTokens = 4
  /// Groups of tokens that share a block of `product` and `down`, and with it the tile in the near cache.
  private static let mostTokenGroups = 4
  /// Tiles that a block of `gated` takes: it writes whole blocks of records.
  private static func gatedTiles(outWidth: Int) -> Int { outWidth == 256 ? 16 : 2 }
  /// Of these at once, so that registers suffice.
  private static let mostGatedTilesAtOnce = 8

  /// Rows to records.
  /// - Parameters:
  ///   - x: [rows, columns] for each head.
  ///   - records: [heads × rows] records of `x`'s columns, head by head.
  ///   - copy: where the same records are written again, such as mapped host memory; 0: nowhere.
  public func quantize(
    _ x: DeviceHeads, into records: DeviceRecords, copy: UInt64 = 0, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(records.columnCount == x.first.columnCount, "records of other rows")
    precondition(records.rowCount == x.first.rowCount * x.headCount, "records of other rows")
    let arguments = gpu_quantize_arguments(
      x: x.first.address, records: records.address, copy: copy, x_stride: u32(x.first.stride),
      rows: u32(x.first.rowCount), columns: u32(x.first.columnCount), width: u32(records.width),
      heads: u32(x.headCount), head_stride: u32(x.headStride))
    // A warp takes 256 columns.
    let grid = LaunchSize(parts(x.first.columnCount, of: 256), x.first.rowCount, x.headCount)
    try launch(.quantize, grid: grid, block: 32, arguments, on: stream)
  }

  /// Rows to records.
  public func quantize(
    _ x: DeviceRows, into records: DeviceRecords, copy: UInt64 = 0, on stream: any DeviceStream
  ) throws(DeviceError) {
    try quantize(DeviceHeads(x), into: records, copy: copy, on: stream)
  }

  /// y = x Wᵀ + bias. x: [tokens] records of the width of the weights; y: [tokens, rows].
  /// - Parameter bias: address of [rows] F32; 0: none.
  public func product(
    _ x: DeviceRecords, _ weights: DeviceMatrix, bias: UInt64 = 0, into y: DeviceRows,
    on stream: any DeviceStream
  ) throws(DeviceError) {
    try product(
      x, weights, weightsHeadByteCount: 0, bias: bias, into: DeviceHeads(y), on: stream)
  }

  /// A product for each head with weights of its own.
  /// - Parameters:
  ///   - x: [heads × tokens] records, head by head.
  ///   - weights: head 0's, the others `weightsHeadByteCount` bytes further on each.
  ///   - y: [tokens, rows] for each head.
  public func product(
    _ x: DeviceRecords, _ weights: DeviceMatrix, weightsHeadByteCount: Int, bias: UInt64 = 0,
    into y: DeviceHeads, on stream: any DeviceStream
  ) throws(DeviceError) {
    let tokens = y.first.rowCount
    precondition(x.width == weights.activationWidth, "x is quantised for other weights")
    precondition(x.address % 64 == 0, "records begin on cache lines")
    precondition(x.columnCount == weights.columnCount && x.rowCount == tokens * y.headCount)
    precondition(y.first.columnCount == weights.rowCount, "y has another shape")
    let arguments = gpu_product_arguments(
      weights: gpu_matrix(weights), x: x.address, y: y.first.address, bias: bias,
      weights_head_bytes: UInt64(weightsHeadByteCount), tokens: u32(tokens),
      y_stride: u32(y.first.stride), heads: u32(y.headCount), y_head_stride: u32(y.headStride))
    let (groups, blocks) = Self.tokenGroups(tokens)
    try launch(
      .product, grid: LaunchSize(weights.tileCount, blocks, y.headCount),
      block: groups * Self.tileThreads, arguments, on: stream)
  }

  /// y[t] = x[t] W for F32 weights as they are stored, [rows, columns] for each head, head by head.
  /// x: [tokens, rows] for each head; y: [tokens, columns] for each head.
  public func productTransposed(
    _ x: DeviceHeads, weights: UInt64, into y: DeviceHeads, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(x.headCount == y.headCount && x.first.rowCount == y.first.rowCount)
    let arguments = gpu_product_transposed_arguments(
      weights: weights, x: x.first.address, y: y.first.address, rows: u32(x.first.columnCount),
      columns: u32(y.first.columnCount), tokens: u32(x.first.rowCount), heads: u32(x.headCount),
      x_stride: u32(x.first.stride), x_head_stride: u32(x.headStride),
      y_stride: u32(y.first.stride), y_head_stride: u32(y.headStride))
    let threads = 64
    let grid = LaunchSize(
      parts(y.first.columnCount, of: threads), parts(x.first.rowCount, of: Self.threadTokens),
      x.headCount)
    try launch(.productTransposed, grid: grid, block: threads, arguments, on: stream)
  }

  /// Groups of tokens in a block, and blocks, for so many tokens.
  private static func tokenGroups(_ tokens: Int) -> (groups: Int, blocks: Int) {
    let all = parts(tokens, of: threadTokens)
    let groups = min(all, mostTokenGroups)
    return (groups, groups == 0 ? 0 : parts(all, of: groups))
  }

  /// The first halves of gated networks: h = activation(x gateᵀ + bias, x upᵀ + bias), as records for the
  /// product that follows.
  /// - Parameters:
  ///   - groups: which rows go to which weights.
  ///   - gate, up: [rows, columns], their addresses counted from a group's slot.
  ///   - gateBias, upBias: addresses of [experts, rows] F32; 0: none.
  ///   - gateX, upX: [tokens] records in the widths of gate's and up's types.
  ///   - rowTokens: address of [grouped rows] UInt32, the token that each row reads; 0: row i reads token i.
  ///   - out: [grouped rows] records of `rows` numbers.
  public func gated(
    _ groups: DeviceExpertGroups, gate: DeviceMatrix, up: DeviceMatrix, gateBias: UInt64 = 0,
    upBias: UInt64 = 0, gateX: DeviceRecords, upX: DeviceRecords, rowTokens: UInt64,
    activation: GatedActivation, into out: DeviceRecords, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(gateX.width == gate.activationWidth && upX.width == up.activationWidth)
    precondition(gate.columnCount == up.columnCount && gate.rowCount == up.rowCount)
    precondition(gateX.columnCount == gate.columnCount && upX.columnCount == up.columnCount)
    precondition(out.columnCount == gate.rowCount, "out has another shape")
    precondition(
      gateX.address % 64 == 0 && upX.address % 64 == 0 && out.address % 64 == 0,
      "records begin on cache lines")
    var arguments = gpu_gated_arguments(
      gate: gpu_matrix(gate), up: gpu_matrix(up), gate_bias: gateBias, up_bias: upBias,
      gate_x: gateX.address, up_x: upX.address, groups: groups.address, row_tokens: rowTokens,
      out: out.address, group_count: u32(groups.groupCount), most_rows: u32(groups.mostRows),
      out_width: u32(out.width), activation: u32(GPU_SILU), alpha: 0, limit: 0)
    if case .clampedSwiGLU(let alpha, let limit) = activation {
      arguments.activation = u32(GPU_CLAMPED_SWIGLU)
      (arguments.alpha, arguments.limit) = (alpha, limit)
    }
    let tiles = Self.gatedTiles(outWidth: out.width)
    try launch(
      .gated,
      grid: LaunchSize(
        parts(gate.tileCount, of: tiles), parts(groups.mostRows, of: Self.threadTokens),
        groups.groupCount),
      block: min(tiles, gate.tileCount, Self.mostGatedTilesAtOnce) * Self.tileThreads, arguments,
      on: stream)
  }

  /// The second halves: y[row] = h[row] downᵀ + bias.
  /// - Parameters:
  ///   - down: [hidden, rows of h], its address counted from a group's slot.
  ///   - bias: address of [experts, hidden] F32; 0: none.
  ///   - x: [grouped rows] records in the width of down's type.
  ///   - y: [grouped rows, hidden]
  public func down(
    _ groups: DeviceExpertGroups, _ down: DeviceMatrix, bias: UInt64 = 0, x: DeviceRecords,
    into y: DeviceRows, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(x.width == down.activationWidth && x.columnCount == down.columnCount)
    precondition(y.columnCount == down.rowCount, "y has another shape")
    precondition(x.address % 64 == 0, "records begin on cache lines")
    let arguments = gpu_down_arguments(
      down: gpu_matrix(down), bias: bias, x: x.address, groups: groups.address, y: y.address,
      group_count: u32(groups.groupCount), most_rows: u32(groups.mostRows),
      y_stride: u32(y.stride))
    let (tokenGroups, blocks) = Self.tokenGroups(groups.mostRows)
    try launch(
      .down, grid: LaunchSize(down.tileCount, blocks, groups.groupCount),
      block: tokenGroups * Self.tileThreads, arguments, on: stream)
  }
}

extension gpu_matrix {
  init(_ matrix: DeviceMatrix) {
    self.init(
      tiles: matrix.address, rows: u32(matrix.rowCount), columns: u32(matrix.columnCount),
      element_type: matrix.type.rawValue, tile_bytes: u32(matrix.tileByteCount))
  }
}
