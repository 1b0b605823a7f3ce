import Foundation
import TestSupport
import Testing

@testable import hybrimoe

@Suite struct `The plan command` {
  private func parts(_ json: [String: Any], _ memory: String) -> (sum: Int, whole: Int) {
    let object = json[memory] as? [String: Any] ?? [:]
    let parts = object["parts"] as? [[String: Any]] ?? []
    return (parts.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }, object["bytes"] as? Int ?? -1)
  }

  @Test func `shows where a model's file would go, and the parts sum to the memory`() throws {
    let fixtures = URL(fileURLWithPath: Program.endlessModel).deletingLastPathComponent()
    for name in try FileManager.default.contentsOfDirectory(atPath: fixtures.path)
    where name.hasSuffix(".gguf") {
      let outcome = try Program.run(
        "plan", "-m", fixtures.appendingPathComponent(name).path, "--machine", "rtx-3090",
        "--gpu-memory", "820MB", "--json")
      #expect(outcome.code == 0, "\(name): \(outcome.error)")
      for memory in ["gpu", "host"] {
        let (sum, whole) = parts(outcome.json, memory)
        #expect(sum == whole, "\(name), \(memory)")
      }
      #expect((outcome.json["layers"] as? [Any])?.isEmpty == false)
    }
  }

  @Test func `a file's sizes are those of its shape`() throws {
    let outcome = try Program.run("inspect", Program.endlessModel, "--json")
    let plan = try Program.run("plan", "-m", Program.endlessModel, "--json")
    #expect(plan.code == 0 && plan.error.contains("No --machine"))
    let total = try #require(outcome.json["bytes"] as? Int)
    let host = try #require((plan.json["host"] as? [String: Any])?["parts"] as? [[String: Any]])
    let weights = host.filter {
      !["unused", "margin", "workspace", "key-value cache"].contains($0["what"] as? String)
    }
    #expect(weights.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } == total)
  }

  @Test func `names a plan in one line and explains it`() throws {
    let outcome = try Program.run(
      "plan", "--shape", "qwen2-57b-a14b", "--machine", "rtx-4090+ddr4", "--cache-ratio", "0.25")
    #expect(outcome.code == 0 && outcome.error == "")
    let first = outcome.output.split(separator: "\n").first ?? ""
    #expect(
      first.hasPrefix("Qwen2-57B-A14B (Q4_K_M) on rtx-4090+ddr4: fits, with 448 of 1792 experts"))
    #expect(outcome.output.contains("expert slots"))
  }

  @Test func `a cache that does not fit is named in the first line`() throws {
    let outcome = try Program.run(
      "plan", "--shape", "mixtral-8x7b", "--machine", "rtx-4090", "--cache-size", "8")
    let words = outcome.output.replacing("\n", with: " ")
    #expect(
      words.hasPrefix(
        "Mixtral-8x7B (Q4_K_M) on rtx-4090+ddr5: runs, but the 256 slots asked for do not fit"))
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    let none = try Program.run("plan", "--shape", "mixtral-8x7b", "--cache-ratio", "0.5")
    #expect(none.error.contains("--cache-ratio: no effect without --machine"))
  }

  @Test func `follows a file of rules and lists what it does not use`() throws {
    let folder = try TemporaryFolder()
    let rules = try folder.write(
      "rules.yaml",
      """
      - match:
          name: "^model\\\\.layers\\\\.([0-9])\\\\.mlp\\\\.experts$"
        replace:
          class: ktransformers.operators.experts.KTransformersExperts
          kwargs: {generate_device: "cuda", prefill_device: "cuda", out_device: "cuda"}
        recursive: False
      """)
    let outcome = try Program.run(
      "plan", "--shape", "deepseek-v2-lite", "--machine", "rtx-3090", "--cache-size", "0",
      "--optimize_rule_path", rules.path, "--json")
    #expect(outcome.json["slots"] as? Int == 9 * 64)
    let report = try #require(outcome.json["rules"] as? [String: Any])
    #expect((report["remarks"] as? [String])?.contains { $0.hasPrefix("out_device") } == true)
    let foreign = try Program.run(
      "plan", "--shape", "mixtral-8x7b", "--machine", "rtx-3090", "--optimize-rule-path", rules.path
    )
    #expect(
      foreign.code == 0 && foreign.error.contains("No rule of \(rules.path) matches a module"))
    let empty = try folder.write("empty.yaml", "")
    let nothing = try Program.run(
      "plan", "--shape", "mixtral-8x7b", "--machine", "rtx-3090", "--optimize-rule-path", empty.path
    )
    #expect(nothing.code == 0 && nothing.error.contains("No rule of"), "\(nothing.error)")
    let broken = try folder.write("broken.yaml", "- match: {name: '('}\n  replace: {}\n")
    let refused = try Program.run(
      "plan", "--shape", "deepseek-v2-lite", "--optimize-rule-path", broken.path)
    #expect(refused.code == 1 && refused.error.contains("broken.yaml, line 1: "))
  }

  @Test func `a user's own machine and shape are found by name`() throws {
    let folder = try TemporaryFolder()
    for (kind, name, own) in [("machines", "rtx-3090", "mine"), ("shapes", "gpt-oss-20b", "own")] {
      let directory = folder.url.appendingPathComponent("hybrimoe/\(kind)")
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      let text = try profileText("\(kind)/\(name)")
        .replacing("\"name\": \"\(name)\"", with: "\"name\": \"\(own)\"")
      try folder.write("hybrimoe/\(kind)/\(own).json", text)
    }
    let outcome = try Program.run(
      "plan", "--machine", "mine+ddr5", "--shape", "own", "--json",
      environment: ["XDG_CONFIG_HOME": folder.url.path])
    #expect(outcome.json["machine"] as? String == "mine+ddr5")
    #expect(outcome.json["model"] as? String == "own")
  }

  @Test func `wrong input is refused with a reason`() throws {
    let wrong: [(arguments: [String], code: Int32, message: String)] = [
      (["--machine", "rtx-309"], 1, "Is 'rtx-3090' meant?"),
      (["--machine", "rtx-3090+ddr6"], 1, "no host 'ddr6'"),
      (["--machine", "rtx-3090+"], 1, "'rtx-3090+' lacks the name after the '+'"),
      (["--machine", "+ddr4"], 1, "'+ddr4' lacks the name before the '+'"),
      (["--machine", ""], 1, "no machine ''"),
      (["--machine", "/nonexistent.json"], 1, "no file '/nonexistent.json'"),
      (["--shape", "mixtral"], 1, "no model shape 'mixtral'"),
      (["--shape", "mixtral-8x7b", "-m", "x.gguf"], 64, "keep one of them"),
      (["--context", "0"], 64, "--context is 0"), (["--hit-rate", "1.5"], 64, "--hit-rate is 1.5"),
      (["--cache-size", "1", "--cache-ratio", "0.5"], 64, "not both"),
      (["--gpu-memory", "101%"], 64, "'101%' is invalid"), (["--cache-ratio", "nan"], 64, "nan"),
      (["--context", "99999999999"], 64, "16777216"), (["--kv-type", "q4"], 64, "q4"),
      (["--optimize-rule-path", "/nonexistent.yaml"], 1, "Cannot read"),
    ]
    for (arguments, code, message) in wrong {
      let outcome = try Program.run(["plan"] + arguments)
      #expect(outcome.code == code && outcome.output == "", "\(arguments): \(outcome)")
      #expect(outcome.error.contains(message), "\(arguments): \(outcome.error)")
    }
  }

  @Test func `an endless file is refused before it fills the memory`() throws {
    for arguments in [
      ["plan", "--shape", "/dev/zero", "--machine", "paper"],
      ["plan", "--shape", "deepseek-v2-lite", "--optimize-rule-path", "/dev/zero"],
    ] {
      let link = try TemporaryFolder()
      try FileManager.default.createSymbolicLink(
        atPath: link.path("zero.json"), withDestinationPath: "/dev/zero")
      let outcome = try Program.run(
        arguments.map { $0 == "/dev/zero" ? link.path("zero.json") : $0 })
      #expect(outcome.code == 1 && outcome.error.contains("is larger than 16.8 MB"))
    }
  }

  @Test(arguments: [
    ("8G", MemoryAmount.bytes(8 << 30)), ("8GiB", .bytes(8 << 30)), ("8GB", .bytes(8_000_000_000)),
    ("1.5k", .bytes(1536)), ("100", .bytes(100)), ("100 B", .bytes(100)), ("80%", .share(0.8)),
  ])
  func `amounts of memory are read as they are written`(text: String, amount: MemoryAmount) {
    #expect(MemoryAmount(argument: text) == amount)
  }

  @Test(arguments: [
    "", "G", "-1", "8X", "8iB", "1e9", "999999999999999999T", "100.1%", "8 G B", "0", "0%", "0G",
    "0.0", "0.5", "8.5", "8.5B", "0.0001k",
  ])
  func `other amounts are refused`(text: String) {
    #expect(MemoryAmount(argument: text) == nil)
  }
}
