import Experts
import RoutingTraces
import TestSupport
import Testing

@Suite struct `A routing trace` {
  @Test func `is read as the format describes it`() throws {
    let header =
      #"{"format":"hybrimoe-trace","version":1,"model":"deepseek2-lite","layers":2,"experts":4,"#
      + #""activated":2,"expertBytes":[5726000,5e6],"unknown":{"a":[1]}}"#
    let event =
      #" {"predicted":{"1":[[0.1,0.2,0.3,0.4]]},"ids":[[3,0]],"weights":[[0.5,0.25]],"#
      + #""scores":[[0.25,0,1e-3,0.5]],"layer":0,"phase":"decode","step":17,"later":null}"#
    let reading = Reading(Array("\(header)\r\n\n\(event)".utf8))
    #expect(reading.message == "accepted")
    #expect(
      reading.reader.header
        == TraceHeader(
          model: "deepseek2-lite", layers: 2, experts: 4, activated: 2,
          expertBytes: [5_726_000, 5_000_000]))
    #expect(
      reading.events == [
        RoutingEvent(
          step: 17, phase: .decode, layer: 0, ids: [3, 0], weights: [0.5, 0.25],
          scores: [0.25, 0, 0.001, 0.5],
          predicted: [PredictedScores(layer: 1, scores: [0.1, 0.2, 0.3, 0.4])])
      ])
  }

  @Test func `is written line by line, with the fewest digits`() throws {
    let trace = RoutingTrace(
      header: TraceSamples.header,
      events: [
        RoutingEvent(step: 0, phase: .prefill, layer: 1, ids: [4, 0, 1, 2]),
        RoutingEvent(
          step: 1, phase: .decode, layer: 0, ids: [4, 0], weights: [0.1, 1],
          scores: [0.5, 0, 1e-7, 0.3, 0.2],
          predicted: [PredictedScores(layer: 2, scores: [1, 0, 0, 0, 0])]),
      ])
    #expect(
      String(decoding: try trace.text(), as: UTF8.self) == """
        \(TraceSamples.headerLine)
        {"step":0,"phase":"prefill","layer":1,"ids":[[4,0],[1,2]]}
        {"step":1,"phase":"decode","layer":0,"ids":[[4,0]],"weights":[[0.1,1.0]],\
        "scores":[[0.5,0.0,1e-07,0.3,0.2]],"predicted":{"2":[[1.0,0.0,0.0,0.0,0.0]]}}

        """)
  }

  @Test(arguments: 0..<60) func `is read as it was written, in pieces of any size`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    let trace = TraceSamples.random(&random)
    let text = try trace.text()
    #expect(try RoutingTrace(reading: text) == trace, "seed \(seed)")
    let pieces = Int.random(in: 1...50, using: &random)
    for isRecovering in [false, true] {
      let reading = Reading(text, pieces: pieces, isRecovering: isRecovering)
      #expect(reading.message == "accepted", "seed \(seed)")
      #expect(reading.events == trace.events, "seed \(seed), pieces of \(pieces)")
      #expect(reading.reader.damage == nil)
      #expect(reading.reader.stepCount == Set(trace.events.map(\.step)).count)
    }
  }

  @Test func `of floats has their own fewest digits and gives their very values`() throws {
    var header = TraceSamples.header
    header.numbers = .float32
    let scores = [0.1, 0.3, 1e-7, 0.6, 0] as [Float]
    let event = RoutingEvent(
      step: 0, phase: .decode, layer: 0, ids: [3, 1], scores: scores.map(Double.init),
      microseconds: 1250.5)
    let text = try RoutingTrace(header: header, events: [event]).text()
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    #expect(lines[0].hasSuffix(#","expertBytes":10,"numbers":"float32"}"#))
    #expect(
      lines[1] == """
        {"step":0,"phase":"decode","layer":0,"ids":[[3,1]],\
        "scores":[[0.1,0.3,1e-07,0.6,0.0]],"at":1250.5}
        """)
    #expect(try RoutingTrace(reading: text).events == [event])
  }

  @Test func `of floats refuses what is none`() throws {
    var header = TraceSamples.header
    header.numbers = .float32
    var text: [UInt8] = []
    var writer = try TraceWriter(header, to: &text)
    let event = RoutingEvent(
      step: 0, phase: .decode, layer: 0, ids: [3, 1], weights: [0.1, 0.25])
    #expect(throws: TraceError.self) { try writer.append(event, to: &text) }
    let line = #"{"step":0,"phase":"decode","layer":0,"ids":[[3,1]],"weights":[[1e39,0]]}"#
    #expect(Reading(text + Array(line.utf8)).message.contains("too large for a Float"))
  }

  @Test(arguments: ["-1", "1e400", "\"3\""])
  func `refuses a time that is none`(_ time: String) {
    let line = #"{"step":0,"phase":"decode","layer":0,"ids":[[3,1]],"at":\#(time)}"#
    #expect(Reading(TraceSamples.text(line)).message != "accepted")
  }

  @Test func `may be a header alone`() throws {
    #expect(try RoutingTrace(reading: TraceSamples.text()).events.isEmpty)
  }
}

@Suite struct `A trace that cannot be written` {
  @Test func `is refused before anything of the event is written`() throws {
    var text: [UInt8] = []
    var writer = try TraceWriter(TraceSamples.header, to: &text)
    try writer.append(RoutingEvent(step: 1, phase: .decode, layer: 1, ids: [0, 1]), to: &text)
    let before = text
    let bad: [(RoutingEvent, String)] = [
      (RoutingEvent(step: 0, phase: .decode, layer: 0, ids: [0, 1]), "step 0 comes after step 1"),
      (
        RoutingEvent(step: 1, phase: .decode, layer: 1, ids: [0, 1]),
        "layer 1 comes after layer 1 in step 1"
      ),
      (RoutingEvent(step: -1, phase: .decode, layer: 0, ids: [0, 1]), "step: -1 is negative"),
      (RoutingEvent(step: 2, phase: .decode, layer: 3, ids: [0, 1]), "layer: 3 is not in 0 to 2"),
      (RoutingEvent(step: 2, phase: .decode, layer: 0, ids: []), "ids: 0 numbers are no rows of 2"),
      (
        RoutingEvent(step: 2, phase: .decode, layer: 0, ids: [0, 1, 2]),
        "ids: 3 numbers are no rows of 2"
      ),
      (
        RoutingEvent(step: 2, phase: .decode, layer: 0, ids: [0, 5]),
        "ids: expert 5 is not in 0 to 4"
      ),
      (
        RoutingEvent(step: 2, phase: .decode, layer: 0, ids: [1, 1]),
        "ids: row 0 has expert 1 twice"
      ),
      (
        RoutingEvent(step: 2, phase: .decode, layer: 0, ids: [0, 1], weights: [.nan, 0]),
        "weights: a number is not finite, which JSON cannot write"
      ),
      (
        RoutingEvent(step: 2, phase: .decode, layer: 0, ids: [0, 1], scores: [1]),
        "scores: expected 5 numbers, found 1"
      ),
      (
        RoutingEvent(
          step: 2, phase: .decode, layer: 1, ids: [0, 1],
          predicted: [PredictedScores(layer: 1, scores: [1, 2, 3, 4, 5])]),
        "predicted: layer 1 is not a later layer, in order"
      ),
    ]
    for (event, problem) in bad {
      do {
        try writer.append(event, to: &text)
        Issue.record("accepted: \(event)")
      } catch { #expect(error.description == "line 3: \(problem)") }
      #expect(text == before)
    }
  }

  @Test func `has a header that no reader would take`() {
    for (key, change) in [
      ("layers", { $0.layers = 0 }), ("experts", { $0.experts = 2000 }),
      ("activated", { $0.activated = 6 }), ("expertBytes", { $0.expertBytes = [1] }),
      ("expertBytes", { $0.expertBytes[2] = -1 }),
    ] as [(String, (inout TraceHeader) -> Void)] {
      var header = TraceSamples.header
      change(&header)
      var text: [UInt8] = []
      do {
        _ = try TraceWriter(header, to: &text)
        Issue.record("accepted \(key)")
      } catch { #expect("\(error)".contains(key)) }
      #expect(text.isEmpty)
    }
  }
}
