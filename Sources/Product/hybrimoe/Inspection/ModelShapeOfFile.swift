import Experts
import GGUF
import Placement
import Tensors

extension ModelShape {
  /// What a model file's header says about sizes; nothing of the weights is read.
  ///
  /// Works for any architecture whose names follow GGUF's habits, also for those that this program
  /// cannot run.
  ///
  /// - Throws: `GGUFError` for missing or impossible keys, `CommandFailure` where the file holds no
  ///   layers.
  init(_ file: GGUFFile) throws {
    let architecture = try file.metadata.string("general.architecture")
    let keys = ShapeKeys(metadata: file.metadata, architecture: architecture)
    let layerCount = try file.metadata.integer("\(architecture).block_count", in: 1...1024)
    var layers: [LayerSums] = Array(repeating: LayerSums(), count: layerCount)
    var embedding = WeightShare.none
    var output = WeightShare.none
    var norm = WeightShare.none
    for tensor in file.tensors {
      let share = WeightShare(bytes: tensor.byteCount, parameters: tensor.elementCount)
      if let layer = TensorRole.layer(name: tensor.name) {
        // Layers beyond the count, such as one for multi-token prediction, are not run.
        if layers.indices.contains(layer) { layers[layer].add(tensor, share) }
      } else if tensor.name.hasPrefix("token_embd") {
        embedding = embedding + share
      } else if TensorRole(name: tensor.name) == .output {
        output = output + share
      } else {
        norm = norm + share
      }
    }
    guard layers.contains(where: { $0.attention.bytes > 0 }) else {
      throw CommandFailure(
        "\(file.path) holds no layers, only a vocabulary; a plan needs a whole model.")
    }
    let types = layers.compactMap(\.expertType).map(\.name)
    let largest = ModelSurvey(file).types.first?.type.name ?? "unknown"
    self.init(
      name: (try? file.metadata.stringIfPresent("general.name")) ?? architecture,
      title: (try? file.metadata.stringIfPresent("general.name")) ?? architecture,
      architecture: architecture, quantization: types.first ?? largest,
      hiddenSize: try file.metadata.integer(
        "\(architecture).embedding_length", in: 1...65_536),
      vocabularySize: try file.metadata.stringArrayCount("tokenizer.ggml.tokens") ?? 0,
      layers: try layers.indices.map { try layers[$0].shape(layer: $0, keys) },
      embedding: embedding,
      // A model without an output head of its own uses the table of embeddings.
      output: (output.bytes > 0 ? output : embedding) + norm)
  }
}

/// What the tensors of one layer sum to.
private struct LayerSums {
  var attention = WeightShare.none
  var router = WeightShare.none
  var shared = WeightShare.none
  var dense = WeightShare.none
  var experts = WeightShare.none
  var expertCount = 0
  var expertType: ElementType?

  mutating func add(_ tensor: GGUFTensor, _ share: WeightShare) {
    switch TensorRole(name: tensor.name) {
    case .routedExperts:
      experts = experts + share
      let parts = tensor.name.split(separator: ".")
      // Either all experts in one tensor, or one tensor per expert, numbered from 0.
      let count = parts.count >= 5 ? (Int(parts[3]) ?? 0) &+ 1 : tensor.dimensions.last ?? 0
      expertCount = max(expertCount, count)
      // Gate and up make two thirds of an expert.
      if tensor.name.contains("gate"), !tensor.name.hasSuffix(".bias") { expertType = tensor.type }
    case .router: router = router + share
    case .sharedExperts: shared = shared + share
    case .denseFeedForward: dense = dense + share
    case .attention, .norms, .embedding, .output, .other: attention = attention + share
    }
  }

  func shape(layer: Int, _ keys: ShapeKeys) throws -> LayerShape {
    var shape = LayerShape(
      attention: attention, keyValueRow: try keys.keyValueRow(layer: layer), router: router,
      shared: shared, denseFeedForward: dense)
    guard experts.bytes > 0 else { return shape }
    guard (1...ExpertSet.limit).contains(expertCount) else {
      throw keys.failure(
        "layer \(layer) has \(expertCount) experts; 1 to \(ExpertSet.limit) can be planned")
    }
    let parameters = experts.parameters / expertCount
    guard parameters < 1 << 40 else {
      throw keys.failure("an expert of layer \(layer) has \(parameters) weights")
    }
    shape.experts = ExpertLayer(
      count: expertCount, activated: try keys.activated(layer: layer, of: expertCount),
      footprint: ExpertFootprint(
        hostBytes: experts.bytes / expertCount, parameters: parameters,
        elementType: expertType?.name ?? CostModel.defaultElementType))
    return shape
  }
}

/// The keys of a file's metadata that say what tensors do not.
private struct ShapeKeys {
  let metadata: GGUFMetadata
  let architecture: String

  private func full(_ key: String) -> String { "\(architecture).\(key)" }

  func failure(_ problem: String) -> CommandFailure {
    CommandFailure("\(metadata.path): \(problem).")
  }

  /// A number that may be given once or for each layer.
  private func number(_ key: String, layer: Int, in range: ClosedRange<Int>) throws -> Int? {
    guard let values = try metadata.integersIfPresent(full(key)), let first = values.first else {
      return nil
    }
    let value = values.count == 1 ? first : values.indices.contains(layer) ? values[layer] : first
    guard range.contains(value) else {
      throw failure(
        "'\(full(key))' is \(value), but must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func activated(layer: Int, of count: Int) throws -> Int {
    guard let value = try number("expert_used_count", layer: layer, in: 1...count) else {
      throw failure("'\(full("expert_used_count"))' is missing, and the model has experts")
    }
    return value
  }

  func keyValueRow(layer: Int) throws -> KeyValueRow {
    let counts = 0...4096
    let heads = try number("attention.head_count", layer: layer, in: counts) ?? 1
    // Latent attention, in either of its layouts: the latent and the rotary part, once for all heads.
    if let rank = try number("attention.kv_lora_rank", layer: layer, in: 0...65_536), rank > 0 {
      let rotary = try number("rope.dimension_count", layer: layer, in: 0...65_536) ?? 0
      return KeyValueRow(
        headCount: 1, keyLength: rank + rotary, valueLength: 0, queryHeadCount: heads)
    }
    let hidden = try metadata.integer(full("embedding_length"), in: 1...65_536)
    let own = max(1, hidden / max(1, heads))
    return KeyValueRow(
      headCount: try number("attention.head_count_kv", layer: layer, in: counts) ?? heads,
      keyLength: try number("attention.key_length", layer: layer, in: 1...65_536) ?? own,
      valueLength: try number("attention.value_length", layer: layer, in: 1...65_536) ?? own,
      window: try window(layer: layer), queryHeadCount: heads)
  }

  /// Only gpt-oss's windows are known well enough to count on: all layers of a pattern but the last.
  private func window(layer: Int) throws -> Int? {
    guard architecture == "gpt-oss",
      let window = try number("attention.sliding_window", layer: layer, in: 0...(1 << 24)),
      window > 0
    else { return nil }
    let pattern =
      try number("attention.sliding_window_pattern", layer: layer, in: 0...1024) ?? 2
    return pattern == 0 || layer % pattern < pattern - 1 ? window : nil
  }
}
