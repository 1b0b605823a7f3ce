import CPUCompute

/// An attention block: normalised hidden states in, what is added to the residual stream out.
package protocol AttentionBlock: Sendable {
  var cacheShape: CacheShape { get }
  /// Numbers of work space that one token takes.
  var workPerToken: Int { get }
  /// - Parameters:
  ///   - x: [tokens, hidden], normalised
  ///   - out: [tokens, hidden], overwritten
  func attend(_ x: Activation, layer: Int, step: Step, into out: Activation) throws
}

/// Attention whose query heads share fewer key and value heads, with the options that the
/// architectures need: biases, per-head norms, sinks, a sliding window.
package struct GroupedQueryAttention: AttentionBlock {
  /// A linear projection. weight: [outputs, inputs], bias: [outputs]
  package struct Projection: Sendable {
    package let weight: WeightMatrix
    package var bias: FloatVector?

    func product(_ x: Activation, into y: Activation) -> MatrixProduct {
      MatrixProduct(x, weight, bias: bias?.base, into: y)
    }
  }

  package let headCount: Int
  package let keyValueHeadCount: Int
  package let keyLength: Int
  package let valueLength: Int
  package let query: Projection
  package let key: Projection
  package let value: Projection
  package let output: Projection
  package var queryNorm: FloatVector?
  package var keyNorm: FloatVector?
  package var normEpsilon: Float = 0
  package var sinks: FloatVector?
  package var window: Int?
  package let layout: RotaryLayout

  package var cacheShape: CacheShape {
    CacheShape(headCount: keyValueHeadCount, keyLength: keyLength, valueLength: valueLength)
  }

  package var workPerToken: Int {
    (headCount + keyValueHeadCount) * (keyLength + valueLength)
  }

  package func attend(_ x: Activation, layer: Int, step: Step, into out: Activation) throws {
    let compute = step.compute
    let rows = x.rowCount
    let queries = try step.workspace.take(rows: rows, columns: headCount * keyLength)
    let keys = try step.workspace.take(rows: rows, columns: keyValueHeadCount * keyLength)
    let values = try step.workspace.take(rows: rows, columns: keyValueHeadCount * valueLength)
    let mixed = try step.workspace.take(rows: rows, columns: headCount * valueLength)
    try compute.multiply([
      query.product(x, into: queries), key.product(x, into: keys), value.product(x, into: values),
    ])
    compute.profile?.mark(.attentionProjections)
    if let queryNorm {
      compute.normalize(
        queries, weight: queryNorm, epsilon: normEpsilon, segments: headCount, into: queries)
    }
    if let keyNorm {
      compute.normalize(
        keys, weight: keyNorm, epsilon: normEpsilon, segments: keyValueHeadCount, into: keys)
    }
    compute.rotate(
      queries, headCount: headCount, headLength: keyLength, offset: 0, angles: step.angles,
      layout: layout)
    compute.rotate(
      keys, headCount: keyValueHeadCount, headLength: keyLength, offset: 0, angles: step.angles,
      layout: layout)
    let cache = step.cache.layers[layer]
    compute.store(keys, in: cache.keys, from: step.position)
    if let rows = cache.values { compute.store(values, in: rows, from: step.position) }
    try compute.attend(
      queries, keys: cache.keys, values: cache.values, position: step.position,
      shape: AttentionShape(
        headCount: headCount, keyLength: keyLength, valueLength: valueLength,
        scale: 1 / Float(keyLength).squareRoot(), window: window),
      sinks: sinks, into: mixed)
    compute.profile?.mark(.attention)
    try compute.multiply([output.product(mixed, into: out)])
  }
}

extension GroupedQueryAttention {
  /// What a file says of a layer's grouped-query attention.
  struct Options {
    var headCount: Int
    var keyValueHeadCount: Int
    var keyLength: Int
    var valueLength: Int
    var layout: RotaryLayout
    var hasBiases = false
    var hasOutputBias = false
    var hasHeadNorms = false
    var normEpsilon: Float = 0
  }

  /// Takes a layer's tensors from the table: `attn_q`, `attn_k`, `attn_v` (or the three in
  /// `attn_qkv`, queries first), `attn_output`, and what the options name.
  /// - Throws: `ModelError`.
  init(_ table: WeightTable, layer: Int, hiddenSize: Int, _ options: Options) throws {
    let prefix = "blk.\(layer)."
    let queryRows = options.headCount * options.keyLength
    let keyRows = options.keyValueHeadCount * options.keyLength
    let valueRows = options.keyValueHeadCount * options.valueLength
    func projection(_ name: String, _ rows: Int, _ columns: Int, bias: Bool) throws -> Projection {
      Projection(
        weight: try table.matrix(
          prefix + name + ".weight", rows: rows, columns: columns, purpose: "attention"),
        bias: bias
          ? try table.vector(prefix + name + ".bias", count: rows, purpose: "attention") : nil)
    }
    guard options.headCount % options.keyValueHeadCount == 0 else {
      throw ModelError.wrongValue(
        path: table.path, key: "attention.head_count_kv",
        expected: "a divisor of the \(options.headCount) heads",
        found: "\(options.keyValueHeadCount)")
    }
    headCount = options.headCount
    keyValueHeadCount = options.keyValueHeadCount
    keyLength = options.keyLength
    valueLength = options.valueLength
    layout = options.layout
    normEpsilon = options.normEpsilon
    let biased = options.hasBiases
    if table.contains(prefix + "attn_qkv.weight") {
      let all = try projection(
        "attn_qkv", queryRows + keyRows + valueRows, hiddenSize, bias: biased)
      func part(_ rows: Range<Int>) -> Projection {
        // A pass that only checks has empty vectors.
        let bias = all.bias.flatMap { $0.count == 0 ? $0 : $0.slice(rows) }
        return Projection(weight: all.weight.rows(rows), bias: bias)
      }
      query = part(0..<queryRows)
      key = part(queryRows..<(queryRows + keyRows))
      value = part((queryRows + keyRows)..<all.weight.rowCount)
    } else {
      query = try projection("attn_q", queryRows, hiddenSize, bias: biased)
      key = try projection("attn_k", keyRows, hiddenSize, bias: biased)
      value = try projection("attn_v", valueRows, hiddenSize, bias: biased)
    }
    output = try projection(
      "attn_output", hiddenSize, options.headCount * options.valueLength,
      bias: options.hasOutputBias)
    if options.hasHeadNorms {
      queryNorm = try table.vector(
        prefix + "attn_q_norm.weight", count: keyLength, purpose: "query norm")
      keyNorm = try table.vector(
        prefix + "attn_k_norm.weight", count: keyLength, purpose: "key norm")
    }
  }
}
