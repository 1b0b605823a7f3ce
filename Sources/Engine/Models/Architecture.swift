import CPUCompute
import GGUF

/// How the files of one architecture become a `DecoderModel`.
protocol Architecture: SendableMetatype {
  /// The value of `general.architecture`.
  static var name: String { get }
  /// Builds the model from the file's keys and tensors.
  /// - Throws: `ModelError`, `GGUFError`.
  static func build(_ keys: ArchitectureKeys, _ table: WeightTable) throws -> DecoderModel
}

extension DecoderModel {
  private static let architectures: [any Architecture.Type] = [
    DeepSeekV2.self, Qwen2MoE.self, Qwen3MoE.self, Mixtral.self, GPTOSS.self,
  ]

  /// Names of the architectures that can be run.
  public static var architectureNames: [String] { architectures.map { $0.name } }

  /// Whether a file's architecture is one that can be run.
  public static func runs(architecture: String) -> Bool { architectureNames.contains(architecture) }

  /// The model of a file whose bytes are mapped (`MappedSource`, `StaticSource`).
  ///
  /// The file is refused as a whole before any weight is read: unknown architecture, missing or
  /// unknown tensors, shapes that contradict the metadata, element types without kernels.
  /// - Parameter weights: how weights are kept in memory.
  /// - Throws: `ModelError`, `GGUFError`, `HostMemoryError.cannotAllocate`.
  public static func load(
    _ file: GGUFFile, weights: WeightLoading = WeightLoading()
  ) throws -> DecoderModel {
    let name = try file.metadata.string("general.architecture")
    guard let architecture = architectures.first(where: { $0.name == name }) else {
      throw ModelError.unsupportedArchitecture(
        path: file.path, found: name, known: architectureNames)
    }
    let keys = try ArchitectureKeys(file.metadata)
    let version = try file.metadata.integerIfPresent("general.quantization_version") ?? 2
    guard version == 2 else {
      throw ModelError.wrongValue(
        path: file.path, key: "general.quantization_version", expected: "2", found: "\(version)")
    }
    let check = WeightTable(file, reading: false)
    _ = try architecture.build(keys, check)
    try check.requireAllUsed(architecture: keys.architecture)
    let store = try weights.store(for: file)
    let model = try architecture.build(keys, WeightTable(file, reading: true, store: store))
    if let store, weights.layout == .cached {
      try PackedWeightsFile.supply(store, of: file, weights)
    }
    return model
  }

  /// Joins the parts that all architectures have in common.
  init(
    _ hyperparameters: Hyperparameters, _ table: WeightTable, rotary: RotaryEmbedding,
    mayTieOutput: Bool = true, layers: [DecoderLayer]
  ) throws {
    self.hyperparameters = hyperparameters
    file = table.file
    store = table.store
    self.rotary = rotary
    self.layers = layers
    let tokens = try table.matrix(
      "token_embd.weight", rows: hyperparameters.vocabularySize,
      columns: hyperparameters.hiddenSize, purpose: "token embedding")
    outputNorm = try table.vector(
      "output_norm.weight", count: hyperparameters.hiddenSize, purpose: "final norm")
    if mayTieOutput, !table.contains("output.weight") {
      embedding = tokens
      output = tokens
    } else {
      embedding = tokens.unpacked
      output = try table.matrix(
        "output.weight", rows: hyperparameters.vocabularySize,
        columns: hyperparameters.hiddenSize, purpose: "output head")
    }
  }
}

extension DecoderLayer {
  /// A layer around its attention and feed-forward blocks, with the norms that stand before them.
  init(
    _ table: WeightTable, layer: Int, _ shape: Hyperparameters, attention: any AttentionBlock,
    feedForwardNorm: String = "ffn_norm", feedForward: FeedForward
  ) throws {
    self.attention = attention
    self.feedForward = feedForward
    attentionNorm = try table.norm("attn_norm", layer: layer, hiddenSize: shape.hiddenSize)
    self.feedForwardNorm = try table.norm(
      feedForwardNorm, layer: layer, hiddenSize: shape.hiddenSize)
  }
}

extension ExpertFeedForward {
  /// A layer's experts behind a router that is a softmax over all of them.
  init(
    softmaxOver table: WeightTable, layer: Int, _ shape: Hyperparameters, width: Int,
    normalizes: Bool, shared: Shared? = nil
  ) throws {
    router = Router(
      weight: try table.routerWeight(layer: layer, shape), gating: .softmax,
      activeCount: shape.activeExpertCount, normalizes: normalizes)
    experts = try ExpertLayer(
      table, layer: layer, expertCount: shape.expertCount, hiddenSize: shape.hiddenSize,
      width: width)
    self.shared = shared
  }
}

extension WeightTable {
  /// A layer's norm weights. [hidden]
  func norm(_ name: String, layer: Int, hiddenSize: Int) throws -> FloatVector {
    try vector("blk.\(layer).\(name).weight", count: hiddenSize, purpose: "norm")
  }

  /// A layer's router weights. [experts, hidden]
  func routerWeight(layer: Int, _ shape: Hyperparameters) throws -> WeightMatrix {
    try matrix(
      "blk.\(layer).ffn_gate_inp.weight", rows: shape.expertCount, columns: shape.hiddenSize,
      purpose: "router")
  }
}
