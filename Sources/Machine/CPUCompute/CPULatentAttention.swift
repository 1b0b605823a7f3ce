import CKernels
import HostMemory
import Tensors

/// The projections from latents to the keys without rotation, one matrix for each head.
public enum LatentKeyProjections: Sendable {
  /// [plain, latent]
  case direct([WeightMatrix])
  /// [latent, plain]
  case transposed([WeightMatrix])
}

/// A call of latent attention with every head's own keys and values.
public struct LatentExpansion {
  public var keys: LatentKeyProjections
  /// For each head [value, latent].
  public var values: [WeightMatrix]
  public var latentLength: Int
  /// A head's numbers without rotation.
  public var plainLength: Int
  public var rotaryLength: Int

  public init(
    keys: LatentKeyProjections, values: [WeightMatrix], latentLength: Int, plainLength: Int,
    rotaryLength: Int
  ) {
    self.keys = keys
    self.values = values
    self.latentLength = latentLength
    self.plainLength = plainLength
    self.rotaryLength = rotaryLength
  }
}

/// Where a block of positions is expanded.
private struct ExpansionSpace {
  static let positions = Int(CK_ATTENTION_BLOCK)
  static let tilePositions = Int(CK_ATTENTION_TILE)
  static let tiles = positions / tilePositions

  /// The heads' key projections as F32. [heads, plain × latent]
  let weights: Activation
  /// The cached rows, transposed. [tiles, (latent + rotary) × positions of a tile]
  let latentTiles: Activation
  /// The cached rows. [positions, latent + rotary]
  let latents: Activation
  /// [heads × tiles, (plain + rotary) × positions of a tile]
  let keyTiles: Activation
  /// [positions, heads × value]
  let values: Activation

  init(_ expansion: LatentExpansion, cache: CacheRows, shape: AttentionShape, in space: Workspace)
    throws
  {
    let (heads, tiles) = (shape.headCount, ExpansionSpace.tiles)
    weights = try space.take(
      rows: heads, columns: expansion.plainLength * expansion.latentLength)
    latentTiles = try space.take(
      rows: tiles, columns: cache.storedLength * ExpansionSpace.tilePositions)
    latents = try space.take(rows: ExpansionSpace.positions, columns: cache.storedLength)
    keyTiles = try space.take(
      rows: heads * tiles, columns: shape.keyLength * ExpansionSpace.tilePositions)
    values = try space.take(
      rows: ExpansionSpace.positions, columns: heads * shape.valueLength)
  }
}

extension CPUBackend {
  /// Latent attention without absorption: the cached latents of a block of positions become the keys
  /// and values of every head, once for all tokens of the call, and attention runs on those.
  ///
  /// For each head, token and position that costs plain + rotary + value multiplications instead of
  /// 2 × latent + rotary (320 instead of 1,088 in DeepSeek-V2), and latent × (plain + value) for each
  /// head and position, which some tens of tokens repay. Earlier positions are expanded from the
  /// cache in every call, so that a token's result does not depend on how the prompt is cut.
  /// - Parameters:
  ///   - queries: [tokens, heads × (plain + rotary)]
  ///   - cache: [positions, latent + rotary], the tokens' own included.
  ///   - out: [tokens, heads × value]
  /// - Throws: `HostMemoryError.cannotAllocate` for scratch that is needed for the first time.
  public func attend(
    _ queries: Activation, latents cache: CacheRows, expansion: LatentExpansion, position: Int,
    shape: AttentionShape, into out: Activation
  ) throws {
    precondition(cache.headCount == 1 && cache.length >= expansion.latentLength)
    precondition(shape.keyLength == expansion.plainLength + expansion.rotaryLength)
    precondition(position + queries.rowCount <= cache.capacity && shape.window == nil)
    guard queries.rowCount > 0 else { return }
    profile?.countAttention(
      shape, tokenCount: queries.rowCount, position: position,
      bytesPerPosition: cache.headByteCount)
    profile?.count(
      byteCount: 0,
      operationCount: 2 * shape.headCount * (position + queries.rowCount)
        * expansion.latentLength * expansion.plainLength)
    let mark = inputs.mark
    defer { inputs.release(to: mark) }
    let space = try ExpansionSpace(expansion, cache: cache, shape: shape, in: inputs)
    let state = try inputs.take(rows: queries.rowCount, columns: 2 * shape.headCount)
    try loadKeyProjections(expansion, into: space.weights)
    var job = attentionJob(queries, position: position, shape: shape, into: out)
    job.group = 1
    job.state_stride = state.stride
    job.value_stride = space.values.stride * MemoryLayout<Float>.stride
    let end = position + queries.rowCount
    for start in stride(from: 0, to: end, by: ExpansionSpace.positions) {
      let count = min(ExpansionSpace.positions, end - start)
      try expand(start..<start + count, of: cache, expansion, shape, space)
      job.origin = start
      let isLast = start + count == end
      let stage = (start > 0 ? CK_ATTENTION_RESUME : 0) | (isLast ? 0 : CK_ATTENTION_SUSPEND)
      let block = start / ExpansionSpace.positions
      let cut = AttentionCut(
        tokenCount: queries.rowCount, blocks: block..<block + 1, keyHeadCount: shape.headCount,
        shape: shape, threadCount: threadCount, mayPartition: false)
      try attend(cut, shape: shape, stage: Int32(stage)) { head in
        var own = job
        own.queries += head * shape.keyLength
        own.out += head * shape.valueLength
        own.state = state.base + 2 * head
        own.key_tiles = UnsafePointer(space.keyTiles.row(head * ExpansionSpace.tiles))
        own.values = UnsafeRawPointer(space.values.base + head * shape.valueLength)
          .assumingMemoryBound(to: UInt8.self)
        return own
      }
    }
  }

  /// The key projections of all heads as F32 [plain, latent]. out: [heads, plain × latent]
  /// - Throws: `HostMemoryError.cannotAllocate` for scratch that is needed for the first time.
  public func loadKeyProjections(_ expansion: LatentExpansion, into out: Activation) throws {
    let (plain, latent) = (expansion.plainLength, expansion.latentLength)
    switch expansion.keys {
    case .direct(let matrices):
      team.forEachChunk(count: matrices.count) { _, head in
        for row in 0..<plain {
          readRow(row, of: matrices[head], into: out.row(head) + row * latent)
        }
      }
    case .transposed(let matrices):
      let mark = inputs.mark
      defer { inputs.release(to: mark) }
      let scratch = try inputs.take(rows: threadCount, columns: 16 * (plain + 16))
      team.forEachChunk(count: matrices.count) { thread, head in
        let weights = matrices[head]
        let code = kernels.transpose(
          weights.type.rawValue, weights.base, weights.rowByteCount, latent, plain, out.row(head),
          scratch.row(thread))
        precondition(code == 0, "no kernel for element type \(weights.type.name)")
      }
    }
  }

  /// Keys and values of all heads for some positions, at most a block.
  private func expand(
    _ positions: Range<Int>, of cache: CacheRows, _ expansion: LatentExpansion,
    _ shape: AttentionShape, _ space: ExpansionSpace
  ) throws {
    let tilePositions = ExpansionSpace.tilePositions
    let tileCount = (positions.count + tilePositions - 1) / tilePositions
    team.forEachChunk(count: tileCount) { _, tile in
      let first = positions.lowerBound + tile * tilePositions
      let count = min(tilePositions, positions.upperBound - first)
      let rows = cache.pointer(position: first, head: 0)
      var code = kernels.fill_tile(
        cache.type.rawValue, rows, cache.headByteCount, count, cache.length,
        space.latentTiles.row(tile))
      for row in 0..<count {
        code |= kernels.dequantize(
          cache.type.rawValue, rows + row * cache.headByteCount,
          space.latents.row(tile * tilePositions + row), cache.storedLength)
      }
      precondition(code == 0, "a cache of \(cache.type.name)")
    }
    team.forEachChunk(count: shape.headCount * tileCount) { _, index in
      let (head, tile) = (index / tileCount, index % tileCount)
      kernels.expand_tile(
        space.weights.row(head), expansion.plainLength, expansion.latentLength,
        expansion.rotaryLength, space.latentTiles.row(tile),
        space.keyTiles.row(head * ExpansionSpace.tiles + tile))
    }
    let latents = space.latents.prefix(rows: positions.count)
      .columns(0..<expansion.latentLength)
    let values = space.values.prefix(rows: positions.count)
    try multiply(
      expansion.values.enumerated().map { head, weights in
        MatrixProduct(
          latents, weights,
          into: values.columns(head * shape.valueLength..<(head + 1) * shape.valueLength))
      })
  }
}
