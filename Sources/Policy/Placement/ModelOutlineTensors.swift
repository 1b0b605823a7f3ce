// The tensors of an outlined model, named as GGUF files of each architecture name them.
extension ModelOutline {
  /// The tensors of a file with some of the layers, in the order of the file.
  /// - Parameter layers: 1 to `layerCount`.
  public func tensors(layers: Int) -> [Tensor] {
    let rule = shape.rule
    var tensors = [
      Tensor(
        name: "token_embd.weight", dimensions: [shape.hidden, shape.vocabulary],
        type: rule.elementType(.embedding, columns: shape.hidden))
    ]
    for (index, layer) in chosenLayers(layers).enumerated() {
      let builder = LayerTensors(shape, layer: layer, prefix: "blk.\(index).")
      tensors += builder.attention + builder.feedForward
    }
    return tensors + [
      Tensor(name: "output_norm.weight", dimensions: [shape.hidden], type: "F32"),
      Tensor(
        name: "output.weight", dimensions: [shape.hidden, shape.vocabulary],
        type: rule.elementType(.output, columns: shape.hidden)),
    ]
  }
}

/// The tensors of one layer.
private struct LayerTensors {
  private let shape: ShapeConfiguration
  /// The layer's number in the whole model, which decides its element types.
  private let layer: Int
  private let prefix: String

  init(_ shape: ShapeConfiguration, layer: Int, prefix: String) {
    self.shape = shape
    self.layer = layer
    self.prefix = prefix
  }

  private func matrix(
    _ name: String, _ role: QuantizationRule.Role, rows: Int, columns: Int, count: Int? = nil
  ) -> ModelOutline.Tensor {
    ModelOutline.Tensor(
      name: prefix + name + ".weight", dimensions: [columns, rows] + (count.map { [$0] } ?? []),
      type: shape.rule.elementType(role, columns: columns, layer: layer, layers: shape.layers))
  }

  /// Norms, biases, routers: F32.
  private func numbers(_ name: String, _ dimensions: Int...) -> ModelOutline.Tensor {
    ModelOutline.Tensor(name: prefix + name, dimensions: dimensions, type: "F32")
  }

  var attention: [ModelOutline.Tensor] {
    let hidden = shape.hidden
    let norm = [numbers("attn_norm.weight", hidden)]
    switch shape.attention {
    case .grouped(let heads, let keyValueHeads, let width, _, _):
      return norm + grouped(heads * width, keyValueHeads * width, heads: heads, width: width)
    case .latent(let heads, let queryRank, let rank, let nope, let rope, let value):
      let queries =
        queryRank == 0
        ? [matrix("attn_q", .attention, rows: heads * (nope + rope), columns: hidden)]
        : [
          matrix("attn_q_a", .attention, rows: queryRank, columns: hidden),
          numbers("attn_q_a_norm.weight", queryRank),
          matrix("attn_q_b", .attention, rows: heads * (nope + rope), columns: queryRank),
        ]
      return norm + queries + [
        matrix("attn_kv_a_mqa", .attention, rows: rank + rope, columns: hidden),
        numbers("attn_kv_a_norm.weight", rank),
        matrix("attn_k_b", .attention, rows: rank, columns: nope, count: heads),
        matrix("attn_v_b", .attention, rows: value, columns: rank, count: heads),
        matrix("attn_output", .attention, rows: hidden, columns: heads * value),
      ]
    }
  }

  private func grouped(
    _ queryRows: Int, _ keyRows: Int, heads: Int, width: Int
  ) -> [ModelOutline.Tensor] {
    let hidden = shape.hidden
    var tensors = [
      matrix("attn_q", .attention, rows: queryRows, columns: hidden),
      matrix("attn_k", .attention, rows: keyRows, columns: hidden),
      matrix("attn_v", .attentionValue, rows: keyRows, columns: hidden),
      matrix("attn_output", .attention, rows: hidden, columns: queryRows),
    ]
    if shape.architecture == "qwen2moe" || shape.hasBiases {
      tensors += [("q", queryRows), ("k", keyRows), ("v", keyRows)].map {
        numbers("attn_\($0.0).bias", $0.1)
      }
    }
    if shape.architecture == "qwen3moe" {
      tensors += ["q", "k"].map { numbers("attn_\($0)_norm.weight", width) }
    }
    if shape.hasBiases {
      tensors += [numbers("attn_output.bias", hidden), numbers("attn_sinks.weight", heads)]
    }
    return tensors
  }

  var feedForward: [ModelOutline.Tensor] {
    let hidden = shape.hidden
    let norm = [
      numbers(shape.hasBiases ? "post_attention_norm.weight" : "ffn_norm.weight", hidden)
    ]
    guard layer >= shape.denseLayers else { return norm + network("", width: shape.denseWidth) }
    let (width, count) = (shape.expertWidth, shape.experts)
    var tensors =
      norm + [
        numbers("ffn_gate_inp.weight", hidden, count),
        matrix("ffn_gate_exps", .expert, rows: width, columns: hidden, count: count),
        matrix("ffn_up_exps", .expert, rows: width, columns: hidden, count: count),
        matrix("ffn_down_exps", .expertDown, rows: hidden, columns: width, count: count),
      ]
    if shape.hasBiases {
      tensors += [
        numbers("ffn_gate_inp.bias", count), numbers("ffn_gate_exps.bias", width, count),
        numbers("ffn_up_exps.bias", width, count), numbers("ffn_down_exps.bias", hidden, count),
      ]
    }
    if shape.sharedWidth > 0 { tensors += network("_shexp", width: shape.sharedWidth) }
    if shape.architecture == "qwen2moe" {
      tensors.append(numbers("ffn_gate_inp_shexp.weight", hidden))
    }
    return tensors
  }

  private func network(_ suffix: String, width: Int) -> [ModelOutline.Tensor] {
    [
      matrix("ffn_gate\(suffix)", .other, rows: width, columns: shape.hidden),
      matrix("ffn_up\(suffix)", .other, rows: width, columns: shape.hidden),
      matrix("ffn_down\(suffix)", .otherDown, rows: shape.hidden, columns: width),
    ]
  }
}
