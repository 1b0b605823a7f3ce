import Placement
import TestSupport
import Testing

@Suite struct `Rules of placement` {
  private func outcome(_ text: String, on name: String = "deepseek-v2-lite") throws -> RuleOutcome {
    RuleOutcome(try PlacementRule.rules(text: text), on: try shape(name))
  }

  private func rule(_ name: String, _ generate: String, _ prefill: String, more: String = "")
    -> String
  {
    """
    - match:
        name: '\(name)'
      replace:
        kwargs:
          generate_device: "\(generate)"
          prefill_device: "\(prefill)"
    \(more)

    """
  }

  @Test func `without rules every layer is cached and all else is on the GPU`() throws {
    let outcome = try outcome("# nothing\n")
    #expect(outcome.wishes.allSatisfy { $0 == LayerWish() })
    #expect(outcome.output == .gpu && outcome.notes.isEmpty)
  }

  @Test func `devices decide where experts of the layers of a range are`() throws {
    let outcome = try outcome(
      rule("^model\\.layers\\.(0|[1-4])\\.mlp\\.experts$", "cuda", "cuda")
        + rule("^model\\.layers\\.2[0-9]\\.mlp\\.experts$", "cpu", "cpu")
        + rule("^model\\.layers\\..*\\.mlp\\.experts$", "cpu", "cuda:0"))
    let experts = outcome.wishes.map(\.experts)
    #expect(experts[1...4].allSatisfy { $0 == .gpu })
    #expect(experts[5...19].allSatisfy { $0 == .cached })
    #expect(experts[20...26].allSatisfy { $0 == .cpu })
    #expect(outcome.matchCounts == [4, 7, 15], "layer 0 is dense and has no experts")
  }

  @Test func `the first rule that matches counts, whatever comes later`() throws {
    let experts = "mlp\\.experts$"
    let first = try outcome(rule(experts, "cpu", "cpu") + rule(experts, "cuda", "cuda"))
    #expect(first.wishes[1...].allSatisfy { $0.experts == .cpu })
    #expect(first.notes.contains { $0.contains("line 8") && $0.contains("matches nothing") })
  }

  @Test func `a class is compared with the module's own`() throws {
    let text = """
      - match:
          name: "^model\\\\.layers\\\\..*$"
          class: torch.nn.Linear
        replace:
          class: ktransformers.operators.linear.KTransformersLinear
          kwargs: {generate_device: cpu, prefill_device: cpu}
      """
    let outcome = try outcome(text, on: "qwen2-57b-a14b")
    #expect(outcome.wishes.allSatisfy { $0.attention == .cpu && $0.feedForward == .cpu })
    #expect(outcome.wishes.allSatisfy { $0.experts == .cached }, "a list of experts is no Linear")
    let other = text.replacing("torch.nn.Linear", with: "x.Qwen3MoeSparseMoeBlock")
    #expect(try self.outcome(other, on: "qwen2-57b-a14b").matchCounts == [0])
    let own = text.replacing("torch.nn.Linear", with: "x.Qwen2MoeSparseMoeBlock")
    #expect(try self.outcome(own, on: "qwen2-57b-a14b").matchCounts == [28])
  }

  @Test func `nothing inside a module is matched after recursive False`() throws {
    let text =
      rule("self_attn$", "cpu", "cpu", more: "  recursive: False") + rule("q_proj", "cuda", "cuda")
    let outcome = try outcome(text)
    #expect(outcome.matchCounts == [27, 0])
    #expect(outcome.wishes.allSatisfy { $0.attention == .cpu })
  }

  @Test func `a part that rules split between devices stays on the GPU, and that is said`() throws {
    let outcome = try outcome(rule("layers\\.3\\.self_attn\\.q_proj", "cpu", "cpu"))
    #expect(outcome.wishes[3].attention == .gpu)
    #expect(outcome.notes.contains { $0.contains("layer 3's attention") })
  }

  @Test func `what has no meaning here is listed`() throws {
    let text = """
      - match:
          name: "^model$"
          size: 3
        replace:
          class: "ktransformers.operators.models.KDeepseekV2Model"
          kwargs:
            per_layer_prefill_intput_threshold: 0 # off
            transfer_map:
              30: "cuda:1"
            prefill_device: "cuda:1"
            generate_op: "KLinearMarlin"
        other: 1
      """
    let ignored = try PlacementRule.rules(text: text)[0].ignored.joined(separator: "\n")
    for word in [
      "size", "KDeepseekV2Model", "per_layer_prefill_intput_threshold", "transfer_map",
      "cuda:1", "generate_op", "other",
    ] { #expect(ignored.contains(word)) }
  }

  static let wrong: [(text: String, line: Int, word: String)] = [
    ("match: x", 1, "sequence"), ("- replace: {class: x}", 1, "'match'"),
    ("- match:\n    name: x\n", 1, "'replace'"), ("- match: {}\n  replace: {}", 1, "neither"),
    ("- match:\n    name: '('\n  replace: {}", 2, "regular expression"),
    ("- match: {name: [a]}\n  replace: {}", 1, "must be a text"),
    ("- match: {name: a}\n  replace:\n    kwargs: 3", 3, "mapping"),
    ("- match: {name: a}\n  replace:\n    kwargs:\n      generate_device: xpu", 4, "'xpu'"),
    ("- match: {name: a}\n  replace:\n    kwargs:\n      prefill_device: [cpu]", 4, "no text"),
    ("- match: {name: a}\n  replace: {}\n  recursive: maybe", 3, "True or False"),
    ("- match: {name: a}\n  replace: {}\n- &x", 3, "anchor"), ("- 3", 1, "'match'"),
  ]

  @Test(arguments: wrong)
  func `a wrong file is refused with its line`(
    _ file: (text: String, line: Int, word: String)
  ) throws {
    let error = try #require(throws: PlacementRuleError.self) {
      try PlacementRule.rules(text: file.text, file: "a.yaml")
    }
    #expect(error.description.hasPrefix("a.yaml, line \(file.line)"), "\(error)")
    #expect(error.description.contains(file.word), "\(error)")
  }

  /// The examples of the repository and a model that each is for.
  static let examples = [
    ("DeepSeek-V2-Chat", "deepseek-v2-lite"), ("DeepSeek-V3-Chat", "deepseek-v3"),
    ("Qwen2-MoE", "qwen2-57b-a14b"),
    ("Qwen3-MoE", "qwen3-30b-a3b"), ("Mixtral", "mixtral-8x7b"), ("gpt-oss", "gpt-oss-20b"),
  ]

  @Test(arguments: examples)
  func `the examples use every rule and place every layer`(file: String, name: String) throws {
    let outcome = RuleOutcome(
      try PlacementRule.rules(text: repositoryText("Rules/\(file).yaml"), file: file),
      on: try shape(name))
    #expect(outcome.notes == [] && outcome.rules.allSatisfy(\.ignored.isEmpty))
    #expect(Set(outcome.wishes.map(\.experts)) == Set(ExpertPlacement.allCases))
  }
}
