import Experts

/// Some weights: what they take in memory and what a token is multiplied with.
public struct WeightShare: Equatable, Sendable {
  public var bytes: Int
  public var parameters: Int

  public init(bytes: Int, parameters: Int) {
    self.bytes = bytes
    self.parameters = parameters
  }

  public static let none = WeightShare(bytes: 0, parameters: 0)

  public static func + (left: WeightShare, right: WeightShare) -> WeightShare {
    WeightShare(bytes: left.bytes + right.bytes, parameters: left.parameters + right.parameters)
  }
}

/// The routed experts of one layer, all of one size.
public struct ExpertLayer: Equatable, Sendable {
  /// Experts of the layer.
  public var count: Int
  /// Experts that one token uses.
  public var activated: Int
  public var footprint: ExpertFootprint

  public init(count: Int, activated: Int, footprint: ExpertFootprint) {
    self.count = count
    self.activated = activated
    self.footprint = footprint
  }
}

/// One layer of a model, in sizes.
public struct LayerShape: Equatable, Sendable {
  /// Projections of the attention and the norms of the layer.
  public var attention: WeightShare
  /// Elements that one position of the context takes in the key-value cache.
  public var keyValueRow: KeyValueRow
  /// `.none` in a dense layer.
  public var router: WeightShare
  /// All shared experts together; `.none` where the layer has none.
  public var shared: WeightShare
  /// The feed-forward network of a layer without experts; else `.none`.
  public var denseFeedForward: WeightShare
  /// Nil in a dense layer.
  public var experts: ExpertLayer?

  public init(
    attention: WeightShare, keyValueRow: KeyValueRow, router: WeightShare = .none,
    shared: WeightShare = .none, denseFeedForward: WeightShare = .none, experts: ExpertLayer? = nil
  ) {
    self.attention = attention
    self.keyValueRow = keyValueRow
    self.router = router
    self.shared = shared
    self.denseFeedForward = denseFeedForward
    self.experts = experts
  }

  /// What lies on the GPU beside routed experts.
  public var resident: WeightShare { attention + router + shared + denseFeedForward }
}

/// A model in sizes: everything that placement and cost need to know of it, and nothing of its
/// arithmetic.
///
/// Made from a data file (`ModelShape(text:file:)`), where sizes follow from the published
/// configuration by a rule of quantisation, or from a model file's table of tensors, where they are
/// read off. Layers are those of the model, dense ones included; the experts' vocabulary counts MoE
/// layers only (`ExpertID.layer`), and `moeLayers` leads from one to the other.
public struct ModelShape: Equatable, Sendable {
  public var name: String
  /// For people, such as `DeepSeek-V2-Lite`.
  public var title: String
  /// The architecture's name in GGUF files, such as `qwen2moe`; decides the names of modules.
  public var architecture: String
  /// How the weights are kept, such as `Q4_K_M`.
  public var quantization: String
  public var hiddenSize: Int
  public var vocabularySize: Int
  public var layers: [LayerShape]
  /// The table of token embeddings. Stays in host memory: a step reads one row for each token.
  public var embedding: WeightShare
  /// The output head and its norm; a model that shares the embedding's table has it here once more.
  public var output: WeightShare
  /// Model layers that have experts, by MoE layer.
  public let moeLayers: [Int]

  public init(
    name: String, title: String, architecture: String, quantization: String, hiddenSize: Int,
    vocabularySize: Int, layers: [LayerShape], embedding: WeightShare, output: WeightShare
  ) {
    self.name = name
    self.title = title
    self.architecture = architecture
    self.quantization = quantization
    self.hiddenSize = hiddenSize
    self.vocabularySize = vocabularySize
    self.layers = layers
    self.embedding = embedding
    self.output = output
    moeLayers = layers.indices.filter { layers[$0].experts != nil }
  }

  public var moeLayerCount: Int { moeLayers.count }

  /// Experts of the layer that has most; 0 where no layer has any.
  public var expertCount: Int { layers.map { $0.experts?.count ?? 0 }.max() ?? 0 }

  /// Experts that one token uses, in the layer where it uses most.
  public var activatedCount: Int { layers.map { $0.experts?.activated ?? 0 }.max() ?? 0 }

  /// The routed experts of a MoE layer, counted as in `ExpertID`.
  public func expertLayer(_ layer: Int) -> ExpertLayer {
    guard let experts = layers[moeLayers[layer]].experts else {
      preconditionFailure("moeLayers names layers with experts only")
    }
    return experts
  }

  /// The size of one expert of a MoE layer, counted as in `ExpertID`.
  ///
  /// As the model file keeps it; `MachineProfile.expertFootprint(of:layer:)` is the same with what
  /// the machine's system copies.
  public func expertFootprint(layer: Int) -> ExpertFootprint { expertLayer(layer).footprint }

  /// Bytes of all routed experts in host memory.
  public var expertBytes: Int {
    layers.reduce(0) { $0 + ($1.experts.map { $0.count * $0.footprint.hostBytes } ?? 0) }
  }

  /// Bytes of everything but routed experts and the embedding.
  public var residentBytes: Int { layers.reduce(output.bytes) { $0 + $1.resident.bytes } }

  /// Bytes of the whole model.
  public var totalBytes: Int { expertBytes + residentBytes + embedding.bytes }

  /// Bytes of the key-value cache of one sequence with this context, all layers.
  ///
  /// - Parameter context: tokens, at most `ModelShape.contextLimit`.
  public func keyValueBytes(context: Int, type: KeyValueElement) -> Int {
    layers.reduce(0) { $0 + $1.keyValueRow.bytes(context: context, type: type) }
  }

  /// The largest context that sizes are computed for; models of 2026 go to 2^20.
  public static let contextLimit = 1 << 24
}
