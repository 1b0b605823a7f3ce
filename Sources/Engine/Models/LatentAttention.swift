import CPUCompute

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1) with absorbed projections.
///
/// The cache holds, per position, one latent vector for all heads and one rotated key part. A head's
/// key is a projection of the latent; instead of projecting every cached latent up, the query is
/// projected down once, and attention runs on latents. So all heads share one key of length
/// latent + rotary, whose first part is the value too.
struct LatentAttention: AttentionBlock {
  /// How the projections between latent and heads are stored.
  enum HeadProjections: Sendable {
    /// One stack per direction. keys: per head [latent, plain], values: per head [value, latent].
    case split(keys: [WeightMatrix], values: [WeightMatrix])
    /// Files made before the split, per head: keys [plain, latent], values [value, latent].
    case joined(keys: [WeightMatrix], values: [WeightMatrix])
  }

  /// A query is projected at once, or through a low rank.
  enum QueryProjection: Sendable {
    case direct(WeightMatrix)
    case lowRank(down: WeightMatrix, norm: FloatVector, up: WeightMatrix)
  }

  let headCount: Int
  let latentLength: Int
  /// Numbers of a query head without rotation.
  let plainLength: Int
  let rotaryLength: Int
  let valueLength: Int
  let query: QueryProjection
  /// [latent + rotary, hidden]
  let keyValueDown: WeightMatrix
  let keyValueNorm: FloatVector
  let heads: HeadProjections
  let output: WeightMatrix
  let normEpsilon: Float
  let scale: Float
  let layout: RotaryLayout

  private var headLength: Int { plainLength + rotaryLength }
  private var cachedLength: Int { latentLength + rotaryLength }

  var cacheShape: CacheShape {
    CacheShape(headCount: 1, keyLength: cachedLength, valueLength: nil)
  }

  var workPerToken: Int {
    let low = if case .lowRank(let weight, _, _) = query { weight.rowCount } else { 0 }
    return headCount * (headLength + cachedLength + latentLength + valueLength) + cachedLength + low
  }

  func attend(_ x: Activation, layer: Int, step: Step, into out: Activation) throws {
    let compute = step.compute
    let rows = x.rowCount
    let latent = try step.workspace.take(rows: rows, columns: cachedLength)
    let queries = try project(x, latent: latent, step: step)
    let plainKey = latent.columns(0..<latentLength)
    compute.normalize(plainKey, weight: keyValueNorm, epsilon: normEpsilon, into: plainKey)
    compute.rotate(
      latent, headCount: 1, headLength: cachedLength, offset: latentLength, angles: step.angles,
      layout: layout)
    compute.rotate(
      queries, headCount: headCount, headLength: headLength, offset: plainLength,
      angles: step.angles, layout: layout)
    let cache = step.cache.layers[layer]
    compute.store(latent, in: cache.keys, from: step.position)

    let absorbed = try absorb(queries, step: step)
    let mixed = try step.workspace.take(rows: rows, columns: headCount * latentLength)
    try compute.attend(
      absorbed, keys: cache.keys, values: nil, position: step.position,
      shape: AttentionShape(
        headCount: headCount, keyLength: cachedLength, valueLength: latentLength, scale: scale),
      into: mixed)
    let values = try step.workspace.take(rows: rows, columns: headCount * valueLength)
    try compute.multiply(
      (0..<headCount).map { head in
        MatrixProduct(
          mixed.columns(head * latentLength..<(head + 1) * latentLength), valueProjection(head),
          into: values.columns(head * valueLength..<(head + 1) * valueLength))
      })
    try compute.multiply([MatrixProduct(values, output, into: out)])
  }

  /// Queries of all heads [tokens, heads × (plain + rotary)]; fills the latent rows too.
  private func project(_ x: Activation, latent: Activation, step: Step) throws -> Activation {
    let queries = try step.workspace.take(rows: x.rowCount, columns: headCount * headLength)
    let down = MatrixProduct(x, keyValueDown, into: latent)
    switch query {
    case .direct(let weight):
      try step.compute.multiply([MatrixProduct(x, weight, into: queries), down])
    case .lowRank(let weight, let norm, let up):
      let low = try step.workspace.take(rows: x.rowCount, columns: weight.rowCount)
      try step.compute.multiply([MatrixProduct(x, weight, into: low), down])
      step.compute.normalize(low, weight: norm, epsilon: normEpsilon, into: low)
      try step.compute.multiply([MatrixProduct(low, up, into: queries)])
    }
    return queries
  }

  /// Queries against latents: [tokens, heads × (latent + rotary)].
  private func absorb(_ queries: Activation, step: Step) throws -> Activation {
    let absorbed = try step.workspace.take(
      rows: queries.rowCount, columns: headCount * cachedLength)
    func plain(_ head: Int) -> Activation {
      queries.columns(head * headLength..<head * headLength + plainLength)
    }
    func target(_ head: Int) -> Activation {
      absorbed.columns(head * cachedLength..<head * cachedLength + latentLength)
    }
    switch heads {
    case .split(let keys, _):
      try step.compute.multiply(
        (0..<headCount).map { MatrixProduct(plain($0), keys[$0], into: target($0)) })
    case .joined(let keys, _):
      try step.compute.multiplyTransposed(
        (0..<headCount).map { TransposedProduct(plain($0), keys[$0], into: target($0)) })
    }
    for row in 0..<queries.rowCount {
      for head in 0..<headCount {
        (absorbed.row(row) + head * cachedLength + latentLength).update(
          from: queries.row(row) + head * headLength + plainLength, count: rotaryLength)
      }
    }
    return absorbed
  }

  private func valueProjection(_ head: Int) -> WeightMatrix {
    switch heads {
    case .split(_, let values), .joined(_, let values): values[head]
    }
  }
}
