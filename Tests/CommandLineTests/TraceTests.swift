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
