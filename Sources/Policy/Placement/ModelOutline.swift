/// The model file that a shape describes: its keys and its tensors, without their numbers.
///
/// For measuring the speed of a model that is not there. The router is a plain softmax, whatever the
/// published one is: it takes the same time.
public struct ModelOutline {
  /// A value of a key.
  public enum Value: Equatable, Sendable {
    case integer(Int)
    case real(Double)
    case text(String)
  }

  /// A tensor of the file.
  public struct Tensor: Equatable, Sendable {
    /// As GGUF files name it.
    public let name: String
    /// Lengths, innermost first.
    public let dimensions: [Int]
    /// The name of the element type, such as `Q4_K`.
    public let type: String
  }

  /// For people, such as `Qwen3-30B-A3B`.
  public let title: String
  /// As in `general.architecture`.
  public let architecture: String
  /// Layers of the whole model.
  public let layerCount: Int
  let shape: ShapeConfiguration

  /// Of a layer's routed experts, the share that one token uses.
  public var activatedShare: Double { Double(shape.activated) / Double(shape.experts) }

  /// - Parameters:
  ///   - text: the JSON document of the shape; `Profiles/README.md` describes it.
  ///   - file: its name, for messages.
  /// - Throws: `ProfileError`.
  public init(text: String, file: String) throws {
    shape = try ShapeConfiguration(text: text, file: file)
    title = shape.title
    architecture = shape.architecture
    layerCount = shape.layers
  }

  /// The layers of the whole model that stand for it where there is room for some only: the dense ones
  /// are as few as their share of the whole but at least one, and the others are spread evenly, so that
  /// the element types are those of the whole.
  /// - Parameter count: 1 to `layerCount`.
  func chosenLayers(_ count: Int) -> [Int] {
    guard count < layerCount else { return Array(0..<layerCount) }
    let all = shape.denseLayers
    let dense = all == 0 ? 0 : min(count - 1, max(1, all * count / layerCount))
    let others = count - dense
    return Array(0..<max(0, dense))
      + (0..<others).map { all + $0 * (layerCount - all) / others }
  }

  /// Dense layers among the first `count`.
  private func denseCount(_ count: Int) -> Int {
    chosenLayers(count).filter { $0 < shape.denseLayers }.count
  }

  /// The keys of a file with some of the layers.
  /// - Parameter layers: 1 to `layerCount`.
  public func keys(layers: Int) -> [(name: String, value: Value)] {
    let own: [(String, Value)]
    switch shape.attention {
    case .grouped(_, let keyValueHeads, let width, let window, let every):
      own =
        [
          ("attention.head_count_kv", .integer(keyValueHeads)),
          ("attention.key_length", .integer(width)), ("attention.value_length", .integer(width)),
        ]
        + (window.map {
          [
            ("attention.sliding_window", .integer($0)),
            ("attention.sliding_window_pattern", .integer(every)),
          ]
        } ?? [])
    case .latent(_, let queryRank, let rank, let nope, let rope, let value):
      own = [
        ("attention.head_count_kv", .integer(1)), ("attention.q_lora_rank", .integer(queryRank)),
        ("attention.kv_lora_rank", .integer(rank)),
        ("attention.key_length", .integer(rank + rope)),
        ("attention.value_length", .integer(rank)),
        ("attention.key_length_mla", .integer(nope + rope)),
        ("attention.value_length_mla", .integer(value)), ("rope.dimension_count", .integer(rope)),
        ("leading_dense_block_count", .integer(denseCount(layers))),
        ("expert_shared_count", .integer(shape.sharedWidth / shape.expertWidth)),
      ]
    }
    let feedForward = shape.denseWidth > 0 ? shape.denseWidth : shape.expertWidth
    let shared: [(String, Value)] =
      architecture == "qwen2moe"
      ? [("expert_shared_feed_forward_length", .integer(shape.sharedWidth))] : []
    let common: [(String, Value)] = [
      ("block_count", .integer(layers)), ("context_length", .integer(32_768)),
      ("embedding_length", .integer(shape.hidden)), ("feed_forward_length", .integer(feedForward)),
      ("attention.head_count", .integer(headCount)),
      ("attention.layer_norm_rms_epsilon", .real(1e-6)), ("rope.freq_base", .real(1e6)),
      ("vocab_size", .integer(shape.vocabulary)), ("expert_count", .integer(shape.experts)),
      ("expert_used_count", .integer(shape.activated)),
      ("expert_feed_forward_length", .integer(shape.expertWidth)),
    ]
    return [
      ("general.architecture", .text(architecture)), ("general.name", .text(title)),
    ] + (common + own + shared).map { ("\(architecture).\($0.0)", $0.1) }
  }

  private var headCount: Int {
    switch shape.attention {
    case .grouped(let heads, _, _, _, _): heads
    case .latent(let heads, _, _, _, _, _): heads
    }
  }
}
