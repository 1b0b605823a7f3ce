import Testing

@Suite struct ScheduleTests {
  private static let costs = #""costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":3}"#

  @Test func `schedule answers a case with operations, makespan and lower bound`() throws {
    let outcome = try Program.run(
      "schedule", input: #"{"loads":{"A":2},"resident":["A"],\#(Self.costs)}"#)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      outcome.output
        == #"{"operations":[{"expert":"A","lane":"gpu","start":0,"end":1}],"makespan":1,"lowerBound":1}"#
        + "\n")
    #expect(outcome.error == "")
  }

  @Test func `schedule says what is wrong with a case`() throws {
    for (input, words) in [
      ("", "line 1, column 1"), (#"{"loads":{"A":0},\#(Self.costs)}"#, "loads.A"),
      (#"{"loads":{"A":1},"resident":["B"],\#(Self.costs)}"#, "resident[0]"),
    ] {
      let outcome = try Program.run("schedule", input: input)
      #expect(outcome.code == 1)
      #expect(outcome.output == "")
      #expect(outcome.error.contains(words) && outcome.error.contains("schedule --help"))
    }
  }

  @Test func `schedule takes no arguments`() throws {
    let outcome = try Program.run("schedule", "case.json")
    #expect(outcome.code == 64)
    #expect(outcome.error.contains("case.json"))
  }
}
