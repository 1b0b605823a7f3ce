import Foundation
import Testing

@testable import hybrimoe

@Suite struct `The command trace stats` {
  /// One layer of four experts, one of them a token; with 1 slot nobody hits but by repetition, with
  /// 2 slots LRU hits 0 twice.
  static let text =
    """
    {"format":"hybrimoe-trace","version":1,"model":"m","layers":1,"experts":4,"activated":1,"expertBytes":9}
    {"step":0,"phase":"prefill","layer":0,"ids":[[0],[1],[1]]}

    """
    + [0, 1, 0, 2, 0].enumerated().map {
      #"{"step":\#($0.offset + 1),"phase":"decode","layer":0,"ids":[[\#($0.element)]]}"# + "\n"
    }.joined()

  private func run(_ arguments: String...) throws -> Program.Outcome {
    try Program.run(["trace", "stats"] + arguments)
  }

  @Test func `hit rates are printed as JSON, each row once`() throws {
    let folder = try TemporaryFolder()
    try folder.write("t.jsonl", Self.text)
    let outcome = try run(
      folder.path("t.jsonl"), "--capacities", "0.25,0.5", "--eviction", "lru,min", "--json")
    #expect(outcome.code == 0 && outcome.error.isEmpty)
    #expect(outcome.json["model"] as? String == "m" && outcome.json["events"] as? Int == 6)
    let rows = try #require(outcome.json["results"] as? [[String: Any]])
    // Two capacities and phases; LRU has no bypass.
    #expect(rows.count == 2 * 2 * 3)
    func row(_ capacity: Double, _ policy: String, _ admission: String) -> [String: Any]? {
      rows.first {
        $0["capacity"] as? Double == capacity && $0["policy"] as? String == policy
          && $0["admission"] as? String == admission && $0["phase"] as? String == "decode"
      }
    }
    let lru = try #require(row(0.5, "lru", "forced"))
    // The prompt leaves 0 and 1; then 0, 1 and 0 hit, 2 replaces 1, and 0 hits.
    #expect(lru["slots"] as? Int == 2 && lru["activated"] as? Int == 5)
    #expect(lru["hits"] as? Int == 4 && lru["hitRate"] as? Double == 0.8)
    // One slot: the prompt's most loaded expert stays, 1, and only MIN can do anything about it.
    #expect(row(0.25, "lru", "forced")?["hits"] as? Int == 0)
    #expect(row(0.25, "min", "bypass")?["hits"] as? Int == 3)
  }

  @Test func `the table marks the best rule that a run can follow, and --svg draws it`() throws {
    let folder = try TemporaryFolder()
    try folder.write("t.jsonl", Self.text)
    let words = try run(
      folder.path("t.jsonl"), "--capacities", "0.5", "--eviction", "lru,mrs,min", "--admission",
      "forced", "--svg", folder.path("chart.svg"))
    #expect(words.code == 0 && words.error.isEmpty)
    #expect(words.output.contains("decode, forced admission, 5 activated"))
    #expect(words.output.contains("50 % (2 slots)"))
    #expect(words.output.contains("80.0 (100) *"))
    #expect(!words.output.contains("bypass"))
    let chart = try String(contentsOfFile: folder.path("chart.svg"), encoding: .utf8)
    #expect(chart.hasPrefix("<svg") || chart.hasPrefix("<?xml"))
    #expect(chart.contains("decode, forced admission"))
    #expect(chart.contains(">MIN (bound)</text>") && !chart.contains("…"))
  }

  @Test func `a trace without hits says why instead of showing zeros`() throws {
    let folder = try TemporaryFolder()
    try folder.write("t", Self.text.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n")
    let outcome = try run(folder.path("t"))
    #expect(outcome.code == 0 && outcome.output.contains("1 layer of 4 experts"))
    #expect(outcome.output.contains("no hits: every cache starts empty"))
    #expect(!outcome.output.contains("(100)") && !outcome.output.contains("0.0"))
  }

  @Test(arguments: [
    (["--capacities", "0"], "capacity is 0.0, but must be above 0"),
    (["--capacities", "0.5,,1"], "invalid"),
    (["--capacities", "0.5,0.5"], "0.5 is named twice in --capacities"),
    (["--eviction", "best"], "invalid"), (["--eviction", "least-stale"], "scope 'global'"),
    (["--mrs-alpha", "2"], "must be above 0 and at most 1"), (["--svg", "-"], "name a file"),
    (["--svg", "/nowhere/x/../t.jsonl"], "the trace and --svg name the same file"),
    (["--eviction", "lru", "--admission", "bypass"], "lru always admit"),
  ])
  func `wrong usage is refused before the trace is read`(
    arguments: [String], words: String
  ) throws {
    let outcome = try Program.run(["trace", "stats", "/nowhere/t.jsonl"] + arguments)
    #expect(outcome.code == 64)
    #expect(outcome.error.contains(words))
  }

  @Test func `damage is an error unless it is to be recovered`() throws {
    let folder = try TemporaryFolder()
    try folder.write("cut", String(Self.text.dropLast(10)))
    let outcome = try run(folder.path("cut"))
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.error.contains("line 7 ends in the middle"))
    let recovered = try run(folder.path("cut"), "--recover", "--json", "--eviction", "lru")
    #expect(recovered.code == 0)
    #expect(recovered.error.contains("Only the 5 whole steps before it"))
    #expect(recovered.json["events"] as? Int == 5)
  }
}
