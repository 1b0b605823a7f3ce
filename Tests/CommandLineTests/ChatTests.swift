import Testing

@testable import hybrimoe

@Suite struct `Chat input` {
  @Test func `lines are questions or commands`() {
    #expect(ChatInput("What is 2/3?") == .question("What is 2/3?"))
    #expect(ChatInput("  spaced ") == .question("  spaced "))
    #expect(ChatInput(" /help ") == .help)
    #expect(ChatInput("/reset") == .reset)
    #expect(ChatInput("/quit") == .quit)
    #expect(ChatInput("/stats") == .stats)
    #expect(ChatInput("/system") == .system(nil))
    #expect(ChatInput("/system  Be brief. ") == .system(" Be brief. "))
    #expect(ChatInput("/save a b.json ") == .save("a b.json"))
    #expect(ChatInput("/save") == .save(nil))
    #expect(ChatInput("/load x") == .load("x"))
    #expect(ChatInput("/load ") == .load(nil))
    #expect(ChatInput("/retry") == .retry)
    #expect(ChatInput("/undo") == .undo)
    #expect(ChatInput("/edit") == .edit(nil))
    #expect(ChatInput("/helpme") == .unknown("/helpme"))
    #expect(ChatInput("//usr/bin is what?") == .question("/usr/bin is what?"))
    #expect(ChatInput(" \t") == .nothing)
    #expect(ChatInput("") == .nothing)
  }
}

@Suite struct `Measurements` {
  @Test func `the median is of the speeds`() {
    var measurement = Measurement(BenchmarkTest(isPrompt: false, tokenCount: 10))
    #expect(measurement.median == 0)
    measurement.seconds = [1, 10, 2]
    #expect(measurement.median == 5)
    #expect(measurement.slowest == 1 && measurement.fastest == 10)
    measurement.seconds = [1, 2]
    #expect(measurement.median == 7.5)
  }

  @Test func `the checksum sees every bit of every score`() {
    let digest = BenchmarkRun.digest([1, 2, 3])
    #expect(digest == BenchmarkRun.digest([1, 2, 3]))
    #expect(digest != BenchmarkRun.digest([1, 2, Float(3).nextUp]))
    #expect(digest != BenchmarkRun.digest([2, 1, 3]))
    #expect(BenchmarkRun.digest([0]) != BenchmarkRun.digest([-0.0]))
  }
}

@Suite struct `Model choice` {
  @Test func `a folder stands for the only model in it`() throws {
    let folder = try TemporaryFolder()
    func choice() throws -> String { try ModelOptions.onlyModel(in: folder.url.path) }
    #expect(throws: CommandFailure.self) { try choice() }
    try folder.write("mmproj-x.gguf", "")
    try folder.write("notes.txt", "")
    for part in 1...3 { try folder.write("m-0000\(part)-of-00003.gguf", "") }
    #expect(try choice().hasSuffix("/m-00001-of-00003.gguf"))
    try folder.write("other.gguf", "")
    let error = #expect(throws: CommandFailure.self) { try choice() }
    #expect(error?.description.contains("2 models: m-00001-of-00003.gguf, other.gguf") == true)
  }

  @Test func `a name that may be a repository is told from a path`() throws {
    func message(_ path: String) -> String {
      do { return "found \(try ModelOptions.parse(["-m", path]).choice())" } catch {
        return "\(error)"
      }
    }
    #expect(message("owner/name").contains("repository"))
    #expect(message("owner/name.gguf").contains("repository") == false)
    #expect(message("/no/name").contains("repository") == false)
    #expect(message("./a/b").contains("repository") == false)
  }
}
