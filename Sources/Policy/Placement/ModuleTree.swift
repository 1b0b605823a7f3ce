/// One module of a model as Hugging Face's code names it, such as `model.layers.3.mlp.experts`.
struct ModelModule {
  /// What a module's device decides.
  enum Role: Equatable {
    case attention(layer: Int)
    /// Router, shared experts or the network of a dense layer.
    case feedForward(layer: Int)
    case experts(layer: Int)
    case output
    case embedding
  }

  var name: String
  /// Names of classes that the module's class is or inherits from, without their packages.
  var classes: [String]
  /// Nil for a module without weights that are placed by it.
  var role: Role?
  /// The index of the module that holds it; nil for the model itself.
  var parent: Int?
}

/// The modules of a model in the order in which they are visited: each before those that it holds.
///
/// Rules name modules and classes of Hugging Face's `transformers`; this table says which of our
/// parts they mean. Projections are listed because rules match them by name and class
/// (`torch.nn.Linear`); single experts are not, since a layer's experts are placed together here.
struct ModuleTree {
  private(set) var modules: [ModelModule] = []

  /// Names that differ between architectures.
  private struct Names {
    /// Beginnings of its classes' names: `Qwen2Moe` for `Qwen2MoeAttention`.
    var prefixes: [String]
    var block = "mlp"
    var router = "gate"
    var routerClasses = ["Linear"]
    /// The shared experts' module; nil where the architecture has none.
    var shared: String?

    init(_ architecture: String) {
      switch architecture {
      case "llama":
        prefixes = ["Mixtral"]
        block = "block_sparse_moe"
      case "qwen2moe":
        prefixes = ["Qwen2Moe"]
        shared = "shared_expert"
      case "qwen3moe": prefixes = ["Qwen3Moe"]
      case "deepseek2":
        prefixes = ["DeepseekV2", "DeepseekV3"]
        routerClasses = ["MoEGate", "DeepseekV3TopkRouter"]
        shared = "shared_experts"
      case "gpt-oss":
        prefixes = ["GptOss"]
        router = "router"
        routerClasses = ["GptOssTopKRouter"]
      case "glm4moe":
        prefixes = ["Glm4Moe"]
        routerClasses = ["Glm4MoeTopkRouter"]
        shared = "shared_experts"
      default:
        prefixes = []
        shared = "shared_experts"
      }
    }

    func classes(_ endings: String...) -> [String] {
      prefixes.flatMap { prefix in endings.map { prefix + $0 } }
    }
  }

  /// - Complexity: linear in the number of layers.
  init(_ shape: ModelShape) {
    let names = Names(shape.architecture)
    let root = add("", names.classes("ForCausalLM"))
    let model = add("model", names.classes("Model"), in: root)
    add("embed_tokens", ["Embedding"], in: model, .embedding)
    let list = add("layers", ["ModuleList"], in: model)
    for index in shape.layers.indices {
      addLayer(index, shape.layers[index], names, in: list)
    }
    add("norm", names.classes("RMSNorm"), in: model)
    add("rotary_emb", names.classes("RotaryEmbedding", "YarnRotaryEmbedding"), in: model)
    add("lm_head", ["Linear"], in: root, .output)
  }

  @discardableResult
  private mutating func add(
    _ name: String, _ classes: [String], in parent: Int? = nil, _ role: ModelModule.Role? = nil
  ) -> Int {
    let prefix = parent.map { modules[$0].name }.flatMap { $0.isEmpty ? nil : $0 + "." } ?? ""
    modules.append(
      ModelModule(name: prefix + name, classes: classes + ["Module"], role: role, parent: parent))
    return modules.count - 1
  }

  private mutating func addLayer(
    _ index: Int, _ layer: LayerShape, _ names: Names, in list: Int
  ) {
    let parent = add("\(index)", names.classes("DecoderLayer"), in: list)
    let attention = add(
      "self_attn",
      names.classes("Attention", "SdpaAttention", "FlashAttention2", "FlashAttention"), in: parent)
    let isLatent = layer.keyValueRow.valueLength == 0
    let projections =
      isLatent
      ? ["q_proj", "q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]
      : ["q_proj", "k_proj", "v_proj", "o_proj"]
    for projection in projections {
      add(projection, ["Linear"], in: attention, .attention(layer: index))
    }
    add("rotary_emb", names.classes("RotaryEmbedding", "YarnRotaryEmbedding"), in: attention)
    if layer.experts == nil {
      let dense = add("mlp", names.classes("MLP"), in: parent)
      addNetwork(index, in: dense)
    } else {
      let block = add(
        names.block, names.classes("MoE", "SparseMoeBlock", "MLP"), in: parent)
      add(
        names.router,
        names.routerClasses, in: block,
        .feedForward(layer: index))
      add(
        "experts", ["ModuleList"] + names.classes("Experts"), in: block, .experts(layer: index))
      if let shared = names.shared, layer.shared.bytes > 0 {
        addNetwork(index, in: add(shared, names.classes("MLP"), in: block))
        if shared == "shared_expert" {
          add("shared_expert_gate", ["Linear"], in: block, .feedForward(layer: index))
        }
      }
    }
    add("input_layernorm", names.classes("RMSNorm"), in: parent)
    add("post_attention_layernorm", names.classes("RMSNorm"), in: parent)
  }

  private mutating func addNetwork(_ layer: Int, in parent: Int) {
    for projection in ["gate_proj", "up_proj", "down_proj"] {
      add(projection, ["Linear"], in: parent, .feedForward(layer: layer))
    }
  }
}
