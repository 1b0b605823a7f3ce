import Experts

// From the numbers of a configuration to bytes and parameters.
extension ShapeConfiguration {
  var shape: ModelShape {
    let norm = WeightShare(bytes: hidden * 4, parameters: hidden)
    let table = vocabulary * hidden
    return ModelShape(
      name: name, title: title, architecture: architecture, quantization: rule.rawValue,
      hiddenSize: hidden, vocabularySize: vocabulary,
      layers: (0..<layers).map(layerShape),
      embedding: WeightShare(
        bytes: rule.bytes(.embedding, rows: vocabulary, columns: hidden), parameters: table),
      output: WeightShare(
        bytes: rule.bytes(.output, rows: vocabulary, columns: hidden), parameters: table) + norm)
  }

  private func layerShape(_ layer: Int) -> LayerShape {
    let isDense = layer < denseLayers
    let matrices = attentionMatrices
    var attention = matrices.reduce(WeightShare.none) { sum, matrix in
      sum
        + WeightShare(
          bytes: rule.bytes(
            matrix.role, rows: matrix.rows, columns: matrix.columns, layer: layer, layers: layers),
          parameters: matrix.rows * matrix.columns)
    }
    // Two norms of the layer; smaller ones inside the attention do not show in any sum.
    attention = attention + WeightShare(bytes: 2 * hidden * 4, parameters: 2 * hidden)
    var shape = LayerShape(attention: attention, keyValueRow: keyValueRow(layer))
    if isDense {
      shape.denseFeedForward = feedForward(width: denseWidth, layer: layer)
    } else {
      // Routers stay in F32.
      shape.router = WeightShare(bytes: experts * hidden * 4, parameters: experts * hidden)
      if sharedWidth > 0 { shape.shared = feedForward(width: sharedWidth, layer: layer) }
      shape.experts = ExpertLayer(
        count: experts, activated: activated, footprint: expertFootprint(layer))
    }
    return shape
  }

  private func feedForward(width: Int, layer: Int) -> WeightShare {
    WeightShare(
      bytes: 2 * rule.bytes(.other, rows: width, columns: hidden, layer: layer, layers: layers)
        + rule.bytes(.otherDown, rows: hidden, columns: width, layer: layer, layers: layers),
      parameters: 3 * width * hidden)
  }

  private func expertFootprint(_ layer: Int) -> ExpertFootprint {
    let biases = hasBiases ? (2 * expertWidth + hidden) * 4 : 0
    let bytes =
      2 * rule.bytes(.expert, rows: expertWidth, columns: hidden, layer: layer, layers: layers)
      + rule.bytes(.expertDown, rows: hidden, columns: expertWidth, layer: layer, layers: layers)
    return ExpertFootprint(
      hostBytes: bytes + biases, parameters: 3 * expertWidth * hidden,
      elementType: rule.expertElementType)
  }

  private typealias Matrix = (role: QuantizationRule.Role, rows: Int, columns: Int)

  private var attentionMatrices: [Matrix] {
    switch attention {
    case .grouped(let heads, let keyValueHeads, let width, _, _):
      return [
        (.attention, heads * width, hidden), (.attention, keyValueHeads * width, hidden),
        (.attentionValue, keyValueHeads * width, hidden), (.attention, hidden, heads * width),
      ]
    case .latent(let heads, let queryRank, let rank, let nope, let rope, let value):
      let queries: [Matrix] =
        queryRank == 0
        ? [(.attention, heads * (nope + rope), hidden)]
        : [(.attention, queryRank, hidden), (.attention, heads * (nope + rope), queryRank)]
      return queries + [
        (.attention, rank + rope, hidden), (.attention, heads * (nope + value), rank),
        (.attention, hidden, heads * value),
      ]
    }
  }

  private func keyValueRow(_ layer: Int) -> KeyValueRow {
    switch attention {
    case .grouped(let heads, let keyValueHeads, let width, let window, let every):
      // As GGUF's pattern counts: of `every` layers all but the last have the window.
      let isWindowed = every == 1 || layer % every < every - 1
      return KeyValueRow(
        headCount: keyValueHeads, keyLength: width, valueLength: width,
        window: isWindowed ? window : nil, queryHeadCount: heads)
    case .latent(let heads, _, let rank, _, let rope, _):
      return KeyValueRow(
        headCount: 1, keyLength: rank + rope, valueLength: 0, queryHeadCount: heads)
    }
  }
}
