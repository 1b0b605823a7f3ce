import Experts

extension ModelShape {
  /// A shape from a data file: sizes follow from the numbers of the published configuration.
  ///
  /// - Parameters:
  ///   - text: the JSON document; `Profiles/README.md` describes it.
  ///   - file: its name, for messages.
  /// - Throws: `ProfileError`.
  public init(text: String, file: String = "shape") throws {
    let configuration = try ShapeConfiguration(text: text, file: file)
    self = configuration.shape
  }
}

/// The numbers of a shape's data file.
struct ShapeConfiguration {
  enum Attention {
    /// Heads that share keys and values in groups.
    case grouped(heads: Int, keyValueHeads: Int, headWidth: Int, window: Int?, windowEvery: Int)
    /// DeepSeek's latent attention; `queryRank` is 0 where queries are projected directly.
    case latent(
      heads: Int, queryRank: Int, keyValueRank: Int, nopeWidth: Int, ropeWidth: Int,
      valueWidth: Int)
  }

  let name: String
  let title: String
  let architecture: String
  let rule: QuantizationRule
  let layers: Int
  let denseLayers: Int
  let hidden: Int
  let vocabulary: Int
  let experts: Int
  let activated: Int
  let expertWidth: Int
  let sharedWidth: Int
  let denseWidth: Int
  let attention: Attention

  /// Architectures whose experts and projections have biases, kept in F32.
  var hasBiases: Bool { architecture == "gpt-oss" }

  init(text: String, file: String) throws {
    let root = try ProfileObject(
      text: text, file: file,
      required: [
        "kind", "name", "title", "reference", "architecture", "quantization", "layers", "hidden",
        "vocabulary", "experts", "attention",
      ], optional: ["denseLayers", "dense", "shared"])
    _ = try root.word("kind", of: ["shape"])
    name = try root.text("name")
    title = try root.text("title")
    _ = try root.text("reference")
    architecture = try root.text("architecture")
    let word = try root.word("quantization", of: QuantizationRule.allCases.map(\.rawValue))
    rule = QuantizationRule(rawValue: word) ?? .q4KM
    layers = try root.count("layers", of: "layers", in: 1...1024)
    denseLayers =
      root.has("denseLayers")
      ? try root.count("denseLayers", of: "layers", in: 0...layers - 1) : 0
    hidden = try root.count("hidden", of: "elements", in: 1...65_536)
    vocabulary = try root.count("vocabulary", of: "tokens", in: 1...(1 << 24))
    let experts = try root.object("experts", required: ["count", "activated", "width"])
    self.experts = try experts.count("count", of: "experts", in: 1...ExpertSet.limit)
    activated = try experts.count("activated", of: "experts", in: 1...self.experts)
    expertWidth = try experts.count("width", of: "elements", in: 1...(1 << 18))
    sharedWidth =
      root.has("shared")
      ? try root.object("shared", required: ["width"])
        .count("width", of: "elements", in: 1...(1 << 18)) : 0
    // A dense layer without a width would be counted as nothing.
    denseWidth =
      root.has("dense") || denseLayers > 0
      ? try root.object("dense", required: ["width"])
        .count("width", of: "elements", in: 1...(1 << 18)) : 0
    attention = try Self.attention(root)
  }

  private static func attention(_ root: ProfileObject) throws -> Attention {
    let kind = try root.object("attention", required: nil)
      .word("kind", of: ["grouped", "latent"])
    let heads = 1...4096
    let width = 1...4096
    if kind == "grouped" {
      let object = try root.object(
        "attention", required: ["kind", "heads", "keyValueHeads", "headWidth"],
        optional: ["window", "windowEvery"])
      let window =
        object.has("window") || object.has("windowEvery")
        ? try object.count("window", of: "tokens", in: 1...ModelShape.contextLimit) : nil
      return .grouped(
        heads: try object.count("heads", of: "heads", in: heads),
        keyValueHeads: try object.count("keyValueHeads", of: "heads", in: heads),
        headWidth: try object.count("headWidth", of: "elements", in: width), window: window,
        windowEvery: object.has("windowEvery")
          ? try object.count("windowEvery", of: "layers", in: 1...1024) : 1)
    }
    let object = try root.object(
      "attention",
      required: ["kind", "heads", "keyValueRank", "nopeWidth", "ropeWidth", "valueWidth"],
      optional: ["queryRank"])
    return .latent(
      heads: try object.count("heads", of: "heads", in: heads),
      queryRank: object.has("queryRank")
        ? try object.count("queryRank", of: "elements", in: 1...65_536) : 0,
      keyValueRank: try object.count("keyValueRank", of: "elements", in: 1...65_536),
      nopeWidth: try object.count("nopeWidth", of: "elements", in: width),
      ropeWidth: try object.count("ropeWidth", of: "elements", in: width),
      valueWidth: try object.count("valueWidth", of: "elements", in: width))
  }
}
