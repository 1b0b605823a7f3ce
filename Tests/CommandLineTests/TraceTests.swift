import Compression
import Foundation
import Testing

@testable import hybrimoe

@Suite struct `The trace commands` {
  /// Two steps of two layers; the predictions are right in one of two experts.
  static let text = """
    {"format":"hybrimoe-trace","version":1,"model":"m","layers":2,"experts":4,"activated":2,"expertBytes":9}
    {"step":0,"phase":"prefill","layer":0,"ids":[[0,1],[0,2]],"predicted":{"1":[[1,0,2,0],[0,0,2,1]]}}
    {"step":0,"phase":"prefill","layer":1,"ids":[[0,1],[2,3]]}
    {"step":1,"phase":"decode","layer":0,"ids":[[2,3]],"scores":[[0.5,0.1,0.3,0.1]]}
    {"step":1,"phase":"decode","layer":1,"ids":[[3,2]]}

    """

  private static func packed(_ text: String) throws -> Data {
    var bytes: [UInt8] = []
    var deflater = try Deflater()
    deflater.pack(Array(text.utf8), to: &bytes)
    deflater.finish(to: &bytes)
    return Data(bytes)
  }

  @Test func `a trace is shown, plain, packed and from standard input`() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.jsonl", Self.text)
    try Self.packed(Self.text).write(to: URL(fileURLWithPath: folder.path("a.jsonl.gz")))
    let plain = try Program.run("trace", "show", folder.path("a.jsonl"), "--json")
    #expect(plain.code == 0 && plain.error.isEmpty)
    let decode = try #require(plain.json["decode"] as? [String: Any])
    #expect(decode["tokens"] as? Int == 1 && decode["events"] as? Int == 2)
    // Of the four experts, 2 and (3, 2) were the token's before it.
    #expect(decode["repeatRate"] as? Double == 0.75)
    let predictions = try #require(plain.json["predictions"] as? [[String: Any]])
    #expect(predictions.count == 1 && predictions[0]["rate"] as? Double == 0.75)
    #expect(plain.json["tokensAgainstScores"] as? Int == 1)
    for outcome in [
      try Program.run("trace", "show", folder.path("a.jsonl.gz"), "--json"),
      try Program.run("trace", "show", "-", "--json", input: Self.text),
    ] { #expect(outcome.output == plain.output) }
    let words = try Program.run("trace", "show", folder.path("a.jsonl")).output
    #expect(words.contains("m: 2 MoE layers of 4 experts of 9 B, 2 activated per token"))
    #expect(words.contains("75.0 % (1 before)"))
  }

  @Test func `damage is an error with file and line, or ends what is recovered`() throws {
    let folder = try TemporaryFolder()
    try folder.write("cut", String(Self.text.dropLast(20)))
    let packed = try Self.packed(Self.text + String(repeating: " \n", count: 100_000))
    try packed.dropLast(50).write(to: URL(fileURLWithPath: folder.path("cut.gz")))
    try folder.write("no.gz", Self.text)
    func run(_ arguments: String...) throws -> Program.Outcome {
      try Program.run(["trace", "show"] + arguments)
    }
    let cut = try run(folder.path("cut"))
    #expect(cut.code == 1)
    #expect(cut.error.hasPrefix("Error: '\(folder.path("cut"))': line 5 ends in the middle"))
    #expect(cut.error.contains("--recover"))
    let recovered = try run(folder.path("cut"), "--recover", "--json")
    #expect(recovered.code == 0)
    #expect((recovered.json["damage"] as? String)?.hasPrefix("line 5") == true)
    #expect(recovered.error.contains("The 1 whole steps before it"))
    let packedCut = try run(folder.path("cut.gz"))
    #expect(packedCut.code == 1 && packedCut.error.contains("gzip data ends in the middle"))
    #expect(try run("--recover", folder.path("cut.gz")).code == 0)
    let noGzip = try run(folder.path("no.gz"))
    #expect(noGzip.code == 1 && noGzip.error.contains("is not gzip data"))
    let empty = try run("/dev/null", "--recover")
    #expect(empty.code == 1 && empty.error.contains("the first must be the header"))
    #expect(try run("/nonexistent").code == 1)
    #expect(try run(folder.path("")).code == 1)
  }

  @Test func `a trace is made, packed and plain, and read again`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("made.gz")
    let few = ["--prompt-tokens", "4", "--decode-tokens", "3", "--sequences", "2", "--seed", "9"]
    let made = try Program.run(
      ["trace", "synth", "--shape", "deepseek-v2-lite", "-o", path, "--json"] + few)
    #expect(made.code == 0 && made.error.isEmpty, "\(made.error)")
    #expect(made.json["events"] as? Int == 2 * 4 * 26)
    let shown = try Program.run("trace", "show", path, "--json").json
    #expect(shown["model"] as? String == "deepseek-v2-lite")
    #expect((shown["expertBytes"] as? [Int])?.count == 26)
    #expect((shown["prefill"] as? [String: Any])?["tokens"] as? Int == 8)
    #expect((shown["predictions"] as? [Any])?.count == 3)
    #expect(shown["tokensAgainstScores"] as? Int == 0)
    // The same routing on standard output, without scores and predictions, by settings.
    let bare = try Program.run(
      ["trace", "synth", "--shape", "deepseek-v2-lite"] + few.prefix(6),
      environment: [
        "HYBRIMOE_SEED": "9", "HYBRIMOE_NO_SCORES": "true", "HYBRIMOE_NO_PREDICTIONS": "true",
      ])
    #expect(bare.code == 0 && !bare.output.contains("scores") && !bare.output.contains("predicted"))
    let statistics = [
      try Program.run("trace", "stats", path, "--eviction", "lru", "--json"),
      try Program.run("trace", "stats", "-", "--eviction", "lru", "--json", input: bare.output),
    ]
    #expect(statistics[0].code == 0 && statistics[0].output == statistics[1].output)
  }

  @Test func `a trace of any numbers is made, and impossible ones are refused`() throws {
    let numbers = ["--layers", "3", "--experts", "5", "--activated", "2"]
    let few = ["--prompt-tokens", "2", "--decode-tokens", "1", "--sequences", "1"]
    func run(_ arguments: [String]...) throws -> Program.Outcome {
      try Program.run(["trace", "synth"] + arguments.flatMap { $0 })
    }
    let made = try run(numbers, few)
    #expect(made.output.hasPrefix(#"{"format":"hybrimoe-trace","version":1,"model":"synthetic","#))
    #expect(made.output.split(separator: "\n").count == 1 + 2 * 3)
    let shape = try run(["--shape", "mixtral-8x7b", "--layers", "2"], few)
    #expect(shape.output.contains(#""layers":2,"experts":8"#))
    for (arguments, code, message) in [
      (["--layers", "0"], 64, "--layers is 0, but must be at least 1"),
      (["--layers", "3"], 64, "Give --shape, or --layers, --experts and --activated."),
      (["--layers", "3", "--experts", "5", "--activated", "6"], 64, "activated is 6, but must be"),
      (["--layers", "-3", "--experts", "5", "--activated", "1"], 64, "layers is -3"),
      (numbers + ["--sequences", "0"], 64, "there are 0 sequences"),
      (numbers + ["--prompt-tokens", "0", "--decode-tokens", "0"], 64, "there is no token"),
      (numbers + ["--prompt-tokens", "1000000000"], 64, "too long for one step"),
      (numbers + ["--json"], 64, "With --json, standard output is taken"),
      (
        ["--shape", "mixtrol-8x7b"], 1,
        "There is no model shape 'mixtrol-8x7b'. Is 'mixtral-8x7b' meant?"
      ),
      (numbers + ["--routing", "mixtral"], 1, "There is no routing 'mixtral'"),
      (numbers + ["--routing", "/dev/null"], 1, "/dev/null: line 1, column 1: expected a value"),
      (numbers + ["-o", "/nonexistent/a"], 1, "Cannot write /nonexistent/a"),
    ] as [([String], Int32, String)] {
      let outcome = try run(arguments)
      #expect(
        outcome.code == code && outcome.error.contains(message), "\(arguments): \(outcome.error)")
    }
  }

  @Test func `wrong usage says which commands the group has`() throws {
    for (arguments, message) in [
      (["trace"], "A command is missing; trace has "),
      (
        ["trace", "shw"],
        "There is no command 'trace shw'. Is 'show' meant? The commands of trace"
      ),
      (["trace", "show"], "Missing expected argument '<file>'"),
      (["trace", "show", "a", "--nope"], "Unknown option '--nope'"),
    ] {
      let outcome = try Program.run(arguments)
      #expect(outcome.code == 64)
      #expect(outcome.error.hasPrefix("Error: \(message)"), "\(outcome.error)")
    }
    let help = try Program.run("trace", "--help")
    #expect(help.code == 0 && help.output.contains("show"))
  }

  @Test func `settings reach the commands of a group`() throws {
    let folder = try TemporaryFolder()
    try folder.write("cut", String(Self.text.dropLast(20)))
    let path = folder.path("cut")
    let recovered = try Program.run(
      "trace", "show", path, environment: ["HYBRIMOE_RECOVER": "true", "HYBRIMOE_JSON": "true"])
    #expect(recovered.code == 0 && recovered.output.hasPrefix("{"))
    let wrong = try Program.run("trace", "show", path, environment: ["HYBRIMOE_RECOVER": "yes"])
    #expect(wrong.code == 64 && wrong.error.contains("HYBRIMOE_RECOVER is 'yes'"))
    let table = try CommandTable.ofProgram.get()
    #expect(table.commandNames.contains("trace show"))
    #expect(table.option("RECOVER", of: "trace show") != nil)
    #expect(table.option("recover", of: "trace") == nil)
    #expect(table.option("recover", of: "show") == nil)
    // A setting of one command is no slip for another, but without effect on it.
    #expect(
      try Invocation(["trace", "show", "x"]).parse(environment: ["HYBRIMOE_TOP_K": "many"])
        is TraceShow)
  }

  @Test func `every command of a group is found with its path`() {
    #expect(Hybrimoe.path(of: TraceShow.self) == ["trace", "show"])
    #expect(Hybrimoe.path(of: Chat.self) == ["chat"])
    #expect(Trace.path(of: Chat.self) == nil)
  }
}
