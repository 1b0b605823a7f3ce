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

  @Test func `a copy that takes no time comes before the computation that needs it`() throws {
    let outcome = try Program.run(
      "schedule",
      input: #"{"loads":{"A":1},"scheduler":"all-gpu","costs":"#
        + #"{"cpuPerToken":0,"gpuPerExpert":0,"linkPerExpert":0}}"#)
    let operations = try #require(outcome.json["operations"] as? [[String: Any]])
    #expect(operations.map { $0["lane"] as? String } == ["link", "gpu"])
  }

  @Test func `schedule draws the plan beside its answer`() throws {
    let folder = try TemporaryFolder()
    let outcome = try Program.run(
      "schedule", "--timeline-svg", folder.path("a.svg"), "--timeline-chrome",
      folder.path("a.json"),
      input: #"{"loads":{"A":2,"B":1},"resident":["A"],\#(Self.costs)}"#)
    #expect(outcome.code == 0 && outcome.json["makespan"] as? Int == 1, "\(outcome.error)")
    let picture = try folder.read("a.svg")
    #expect(picture.hasPrefix("<svg") && picture.contains("0 is A, 1 is B"))
    #expect(try folder.read("a.json").contains("traceEvents"))
    let taken = try Program.run("schedule", "--timeline-svg", "-")
    #expect(taken.code == 64 && taken.error.contains("Standard output is taken"))
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
