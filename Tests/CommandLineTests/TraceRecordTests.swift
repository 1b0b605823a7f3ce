import Foundation
import Testing

@Suite struct `Recording a trace` {
  @Test func `what was recorded is shown, measured and simulated from`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.jsonl.gz")
    let outcome = try Program.run(
      "trace", "record", "-m", Program.endlessModel, "-p", "hello there", "-n", "6",
      "--temperature", "0", "-o", path)
    #expect(outcome.code == 0 && outcome.output.isEmpty)
    #expect(outcome.error.contains("6 steps recorded"))
    let shown = try Program.run("trace", "show", path, "--json")
    let decode = try #require(shown.json["decode"] as? [String: Any])
    // The sixth token is chosen, but never taken in.
    #expect(shown.code == 0 && decode["tokens"] as? Int == 5)
    let stats = try Program.run("trace", "stats", path, "--json", "--eviction", "lru,min")
    #expect(stats.code == 0 && stats.json["model"] != nil)
  }

  @Test func `a conversation that ends with an error leaves a whole file`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("chat.jsonl.gz")
    let long = String(repeating: "What is 2 plus 3? ", count: 40)
    let outcome = try Program.run(
      "chat", "--seed", "1", "-n", "4", "--context", "64", "--record-trace", path,
      input: "Hi.\n\(long)\n")
    #expect(outcome.code == 1 && outcome.error.contains("steps recorded"))
    #expect(try Program.run("trace", "show", path).code == 0)
  }

  @Test func `a file that cannot be written is told before the model runs`() throws {
    let outcome = try Program.run(
      "run", "-m", Program.endlessModel, "-p", "hello", "-n", "2", "--record-trace",
      "/nonexistent/a.jsonl")
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.error.contains("/nonexistent/a.jsonl"))
  }
}
