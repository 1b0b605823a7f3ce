import Foundation
import Inference
import Testing

@Suite struct `Files of rules` {
  /// The files of the repository, each with a small model of its family.
  static let families = [
    ("DeepSeek-V2-Chat", "deepseek2-nano-F16"), ("DeepSeek-V3-Chat", "deepseek3-nano-F16"),
    ("Qwen2-MoE", "qwen2moe-nano-F16"), ("Qwen3-MoE", "qwen3moe-nano-F16"),
    ("Mixtral", "mixtral-nano-F16"), ("gpt-oss", "gpt-oss-nano-F16"),
  ]

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: families)
  func `each one places every layer of experts in a model of its family`(
    rules: String, model: String
  ) throws {
    let path = Self.root.appendingPathComponent("Tests/InferenceTests/Fixtures/\(model).gguf").path
    let outcome = try Program.run(
      "plan", "-m", path, "--machine", "rtx-3090", "--optimize-rule-path",
      Self.root.appendingPathComponent("Rules/\(rules).yaml").path, "--json")
    #expect(outcome.code == 0, "\(outcome.error)")
    let report = try #require(outcome.json["rules"] as? [String: Any])
    let counts = (report["rules"] as? [[String: Any]] ?? []).compactMap { $0["matches"] as? Int }
    #expect(counts.count == 7)
    // The rules of experts name layers of the large model; together they have all of the small one.
    let layers = Set(
      try ModelLocation.file(path: path).open().tensors.map(\.name)
        .filter { $0.contains("_exps.") }.map { $0.prefix { $0 != "f" } })
    #expect(counts.dropFirst(3).prefix(3).reduce(0, +) == layers.count && !layers.isEmpty)
    for index in [0, 1, 2, 6] { #expect(counts[index] > 0, "rule \(index)") }
  }

  @Test func `every file is tested`() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appendingPathComponent("Rules").path)
    #expect(Set(files) == Set(Self.families.map { $0.0 + ".yaml" }))
  }
}
