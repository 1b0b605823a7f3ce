import CKernels
import HostMemory
import Tensors

/// One call of attention: which positions each query sees, and how scores are formed.
public struct AttentionShape: Sendable {
  /// Query heads; a multiple of the cache's heads.
  public var headCount: Int
  public var keyLength: Int
  public var valueLength: Int
  /// What a query's product with a key is multiplied by.
  public var scale: Float
  /// A key is visible where 0 ≤ query position − key position < window; nil for all before it.
  public var window: Int?

  public init(headCount: Int, keyLength: Int, valueLength: Int, scale: Float, window: Int? = nil) {
    self.headCount = headCount
    self.keyLength = keyLength
    self.valueLength = valueLength
    self.scale = scale
    self.window = window
  }
}

extension CPUBackend {
  /// Attention of the tokens at `position`, `position + 1`, … over the cache, which holds their own
  /// keys and values already.
  /// - Parameters:
  ///   - queries: [tokens, headCount × keyLength]
  ///   - keys: the cache's keys; `values` nil: a value is the first `valueLength` numbers of its key.
  ///   - sinks: one more logit per head in the softmax's denominator.
  ///   - out: [tokens, headCount × valueLength]
  /// - Throws: `HostMemoryError.cannotAllocate` for scratch that is needed for the first time.
  public func attend(
    _ queries: Activation, keys: CacheRows, values: CacheRows?, position: Int,
    shape: AttentionShape, sinks: FloatVector? = nil, into out: Activation
  ) throws {
    precondition(shape.headCount % keys.headCount == 0 && keys.length == shape.keyLength)
    precondition(position + queries.rowCount <= keys.capacity)
    profile?.countAttention(
      shape, tokenCount: queries.rowCount, position: position,
      bytesPerPosition: keys.headCount * (keys.headByteCount + (values?.headByteCount ?? 0)))
    let cut = AttentionCut(
      tokenCount: queries.rowCount,
      blocks: AttentionCut.blocks(
        tokenCount: queries.rowCount, position: position, window: shape.window),
      keyHeadCount: keys.headCount, shape: shape, threadCount: threadCount, mayPartition: true)
    var job = attentionJob(queries, position: position, shape: shape, into: out)
    job.group = cut.group
    job.key_stride = keys.headByteCount
    job.value_stride = values?.headByteCount ?? 0
    job.cache_type = keys.type.rawValue
    try attend(cut, shape: shape) { head in
      var own = job
      own.queries += head * cut.group * shape.keyLength
      own.out += head * cut.group * shape.valueLength
      own.keys = UnsafePointer(keys.pointer(position: 0, head: head))
      own.values = values.map { UnsafePointer($0.pointer(position: 0, head: head)) }
      own.sinks = sinks.map { $0.base + head * cut.group }
      return own
    }
  }

  /// What is the same for all heads.
  func attentionJob(
    _ queries: Activation, position: Int, shape: AttentionShape, into out: Activation
  ) -> ck_attention_job {
    precondition(queries.columnCount == shape.headCount * shape.keyLength)
    precondition(out.columnCount == shape.headCount * shape.valueLength)
    precondition(out.rowCount == queries.rowCount)
    var job = ck_attention_job()
    job.queries = UnsafePointer(queries.base)
    job.query_stride = queries.stride
    job.out = out.base
    job.out_stride = out.stride
    job.position = position
    job.window = shape.window ?? 0
    job.key_length = shape.keyLength
    job.value_length = shape.valueLength
    job.scale = shape.scale
    return job
  }

  /// Runs a call's pieces on all threads; `job` gives that of a key-value head.
  func attend(
    _ cut: AttentionCut, shape: AttentionShape, stage: Int32 = 0,
    _ job: (Int) -> ck_attention_job
  ) throws {
    guard cut.rowCount > 0 else { return }
    let mark = inputs.mark
    defer { inputs.release(to: mark) }
    let scratch = try inputs.take(
      rows: threadCount,
      columns: ck_attention_scratch(cut.tileRows, shape.keyLength, shape.valueLength))
    let partials = try inputs.take(
      rows: 1, columns: cut.partialCount(valueLength: shape.valueLength))
    func partial(_ head: Int, _ tile: Int) -> UnsafeMutablePointer<Float> {
      partials.base + cut.partialOffset(head: head, tile: tile, valueLength: shape.valueLength)
    }
    team.forEachChunk(count: cut.pieceCount) { thread, index in
      let piece = cut.piece(index)
      var job = job(piece.head)
      let offset =
        (piece.blocks.lowerBound - cut.blocks.lowerBound) * piece.rows.count
        * ck_attention_partial(shape.valueLength)
      let code = kernels.attention(
        &job, piece.rows.lowerBound, piece.rows.upperBound, piece.blocks.lowerBound,
        piece.blocks.upperBound, stage,
        cut.splitsBlocks ? partial(piece.head, piece.tile) + offset : nil, scratch.row(thread))
      precondition(code == 0, "a cache of element type \(job.cache_type)")
    }
    guard cut.splitsBlocks else { return }
    let rowsPerPiece = 4
    let perTile = (cut.tileRows + rowsPerPiece - 1) / rowsPerPiece
    team.forEachChunk(count: cut.headCount * cut.tileCount * perTile) { _, index in
      let (tile, head) = (index / perTile % cut.tileCount, index / perTile / cut.tileCount)
      let rows = cut.rows(ofTile: tile)
      let from = rows.lowerBound + index % perTile * rowsPerPiece
      guard from < rows.upperBound else { return }
      var job = job(head)
      kernels.attention_merge(
        &job, rows.lowerBound, rows.upperBound, from, min(from + rowsPerPiece, rows.upperBound),
        cut.blocks.lowerBound, cut.blocks.upperBound, partial(head, tile))
    }
  }
}
