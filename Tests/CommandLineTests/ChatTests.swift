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
