import CPUCompute

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1).
///
/// The cache holds, per position, one latent vector for all heads and one rotated key part. A head's
/// key and value are projections of the latent. In decode the projections are absorbed: instead of
/// projecting every cached latent up, the query is projected down once, and attention runs on latents;
/// all heads share one key of length latent + rotary, whose first part is the value too. In prefill the
/// many tokens of a chunk share the work of projecting latents up, and attention on the shorter keys and
/// values of each head is cheaper. The phase alone decides, never the number of tokens, so that a
/// prompt's bits do not depend on how it is cut.
package struct LatentAttention: AttentionBlock {
  /// How the projections between latent and heads are stored.
  package enum HeadProjections: Sendable {
    /// One stack per direction. keys: per head [latent, plain], values: per head [value, latent].
    case split(keys: [WeightMatrix], values: [WeightMatrix])
    /// Files made before the split, per head: keys [plain, latent], values [value, latent].
    case joined(keys: [WeightMatrix], values: [WeightMatrix])
  }

  /// A query is projected at once, or through a low rank.
  package enum QueryProjection: Sendable {
    case direct(WeightMatrix)
    case lowRank(down: WeightMatrix, norm: FloatVector, up: WeightMatrix)
  }

  package let headCount: Int
  package let latentLength: Int
  /// Numbers of a query head without rotation.
  package let plainLength: Int
  package let rotaryLength: Int
  package let valueLength: Int
  package let query: QueryProjection
  /// [latent + rotary, hidden]
  package let keyValueDown: WeightMatrix
  package let keyValueNorm: FloatVector
  package let heads: HeadProjections
  package let output: WeightMatrix
  package let normEpsilon: Float
  package let scale: Float
  package let layout: RotaryLayout

  package var headLength: Int { plainLength + rotaryLength }
  package var cachedLength: Int { latentLength + rotaryLength }

  package var cacheShape: CacheShape {
    CacheShape(headCount: 1, keyLength: cachedLength, valueLength: nil)
  }

  package var workPerToken: Int {
    let low = if case .lowRank(let weight, _, _) = query { weight.rowCount } else { 0 }
    // A chunk's; the absorbed queries of decode are one token's.
    return headCount * (headLength + valueLength + 2) + cachedLength + low
  }

  package func attend(_ x: Activation, layer: Int, step: Step, into out: Activation) throws {
    let compute = step.compute
    let rows = x.rowCount
    let latent = try step.workspace.take(rows: rows, columns: cachedLength)
    let queries = try project(x, latent: latent, step: step)
    compute.profile?.mark(.attentionProjections)
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

    let values = try step.workspace.take(rows: rows, columns: headCount * valueLength)
    switch step.phase {
    case .prefill:
      try compute.attend(
        queries, latents: cache.keys, expansion: expansion, position: step.position,
        shape: AttentionShape(
          headCount: headCount, keyLength: headLength, valueLength: valueLength, scale: scale),
        into: values)
    case .decode: try attendAbsorbed(queries, cache: cache.keys, step: step, into: values)
    }
    compute.profile?.mark(.attention)
    try compute.multiply([MatrixProduct(values, output, into: out)])
  }

  package var expansion: LatentExpansion {
    let keys: LatentKeyProjections =
      switch heads {
      case .split(let keys, _): .transposed(keys)
      case .joined(let keys, _): .direct(keys)
      }
    return LatentExpansion(
      keys: keys, values: valueProjections, latentLength: latentLength, plainLength: plainLength,
      rotaryLength: rotaryLength)
  }

  /// queries: [tokens, heads × (plain + rotary)], values: [tokens, heads × value]
  private func attendAbsorbed(
    _ queries: Activation, cache: CacheRows, step: Step, into values: Activation
  ) throws {
    let rows = queries.rowCount
    let absorbed = try absorb(queries, step: step)
    let mixed = try step.workspace.take(rows: rows, columns: headCount * latentLength)
    try step.compute.attend(
      absorbed, keys: cache, values: nil, position: step.position,
      shape: AttentionShape(
        headCount: headCount, keyLength: cachedLength, valueLength: latentLength, scale: scale),
      into: mixed)
    try step.compute.multiply(
      valueProjections.enumerated().map { head, weights in
        MatrixProduct(
          mixed.columns(head * latentLength..<(head + 1) * latentLength), weights,
          into: values.columns(head * valueLength..<(head + 1) * valueLength))
      })
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

  package var valueProjections: [WeightMatrix] {
    switch heads {
    case .split(_, let values), .joined(_, let values): values
    }
  }
}
