import Experts
import RoutingTraces
import TestSupport
import Testing

@Suite struct `A damaged trace` {
  private static func header(_ key: String, _ value: String) -> String {
    let members = [
      ("format", "\"hybrimoe-trace\""), ("version", "1"), ("model", "\"m\""), ("layers", "3"),
      ("experts", "5"), ("activated", "2"), ("expertBytes", "10"),
    ]
    return "{"
      + members.map { "\"\($0.0)\":\($0.0 == key ? value : $0.1)" }.joined(separator: ",") + "}"
  }

  static let headers: [(String, String)] = [
    ("", "it has no line; the first must be the header"),
    ("\n \n", "it has no line; the first must be the header"),
    ("hello", "column 1: expected a value, found 'hello'"),
    ("[1]", "expected an object, found an array"),
    ("{}", "expected the key \"format\", found none"),
    (header("format", "\"gguf\""), "format: expected \"hybrimoe-trace\", found \"gguf\""),
    (header("model", "3"), "model: expected a string, found the number 3"),
    (header("layers", "0"), "layers: expected a whole number from 1 to 4096, found 0"),
    (header("layers", "9e18"), "layers: expected a whole number from 1 to 4096, found 9e+18"),
    (header("experts", "1025"), "experts: expected a whole number from 1 to 1024, found 1025"),
    (header("activated", "6"), "activated: expected a whole number from 1 to 5, found 6"),
    (header("activated", "1.5"), "activated: expected a whole number, found 1.5"),
    (
      header("expertBytes", "[1,2]"),
      "expertBytes: expected a number or an array of 3 numbers, one for each layer, found an array of 2"
    ),
    (
      header("expertBytes", "[1,-2,3]"),
      "expertBytes[1]: expected a number from 0 to 9007199254740992, found -2"
    ),
    (header("expertBytes", "\"x\""), "expertBytes: expected a number, found a string"),
    (
      header("activated", "2,\"numbers\":\"int8\""),
      "numbers: expected \"float32\" or \"float64\", found \"int8\""
    ),
    (header("version", "\"1\""), "version: expected a whole number, found a string"),
    (header("model", "\"m"), "column 52: expected ',' or '}', found 'layers'"),
  ]

  @Test(arguments: headers)
  func `without a good header is refused with a reason`(text: String, problem: String) {
    for isRecovering in [false, true] {
      let reading = Reading(Array(text.utf8), isRecovering: isRecovering)
      #expect(reading.message == "line 1: this is no routing trace: \(problem)")
    }
  }

  @Test func `that never ends its first line is refused before it fills the memory`() throws {
    var reader = TraceReader()
    let zeros = [UInt8](repeating: 0, count: 1 << 16)
    #expect(throws: TraceError.lineTooLong(line: 1, limitBytes: 1 << 20)) {
      for _ in 0..<100 {
        reader.feed(zeros)
        _ = try reader.next()
      }
    }
  }

  @Test func `of an unknown version is refused with a word`() {
    #expect(
      Reading(Array(Self.header("version", "2").utf8)).message
        == "line 1: the trace has version 2 of the format, but only version 1 is known; "
        + "a newer release may read it")
  }

  /// Members of an event that is well otherwise, and what is said about them.
  static let events: [(String, String)] = [
    (#""step":-1"#, "line 3: step: -1 is negative; steps count from 0"),
    (#""step":1.5"#, "line 3, column 9: expected a whole number, without fraction or exponent"),
    (#""step":1"#, "line 3: step 1 comes after step 2"),
    (#""step":2"#, "line 3: layer 0 comes after layer 0 in step 2"),
    (
      #""step":2,"layer":1,"phase":"prefill""#,
      "line 3: step 2 is prefill here and decode before"
    ),
    (#""phase":"x""#, #"line 3: phase: expected "prefill" or "decode", found "x""#),
    (#""layer":3"#, "line 3: layer: 3 is not in 0 to 2"),
    (#""layer":-1"#, "line 3: layer: -1 is not in 0 to 2"),
    (#""ids":[[0,5]]"#, "line 3: ids: row 0 has expert 5, which is not in 0 to 4"),
    (#""ids":[[0,1],[-1,0]]"#, "line 3: ids: row 1 has expert -1, which is not in 0 to 4"),
    (#""ids":[[0,1],[3,3]]"#, "line 3: ids: row 1 has expert 3 twice"),
    (#""ids":[[0,1],[3]]"#, "line 3: ids: row 1 has 1 numbers, expected 2"),
    (#""ids":[[0,1,2]]"#, "line 3: ids: row 0 has 3 numbers, expected 2"),
    (#""ids":[]"#, "line 3: ids: there is no row, so no token"),
    (#""ids":[0,1]"#, "line 3, column 45: expected an array, found '0'"),
    (#""weights":[[1]]"#, "line 3: weights: row 0 has 1 numbers, expected 2"),
    (#""weights":[[1,2],[1,2]]"#, "line 3: weights has 2 rows, but ids has 1"),
    (#""weights":[[1,NaN]]"#, "line 3, column 66: expected a number, found 'NaN'"),
    (
      #""weights":[[1,1e999]]"#,
      "line 3, column 66: this number is too large for a Double (beyond 1.8e308)"
    ),
    (#""scores":[[1,2,3,4]]"#, "line 3: scores: row 0 has 4 numbers, expected 5"),
    (#""scores":[]"#, "line 3: scores has 0 rows, but ids has 1"),
    (#""predicted":{"0":[[1,2,3,4,5]]}"#, "line 3: predicted: layer 0 is not later than layer 0"),
    (#""predicted":{"3":[[1,2,3,4,5]]}"#, #"line 3: predicted: "3" is no layer from 0 to 2"#),
    (#""predicted":{"01":[[1,2,3,4,5]]}"#, #"line 3: predicted: "01" is no layer from 0 to 2"#),
    (
      #""predicted":{"1":[[1,2,3,4]]}"#,
      "line 3: predicted layer 1: row 0 has 4 numbers, expected 5"
    ),
    (#""predicted":{"1":[]}"#, "line 3: predicted layer 1 has 0 rows, but ids has 1"),
    (#""predicted":{"1":[[1,2,3,4,5]],"1":[]}"#, "line 3: predicted: layer 1 stands here twice"),
    (#""weights":null,"scores":null,"predicted":null"#, "accepted"),
    (#""other":[1,{"a":2}]"#, "accepted"),
    (#""other":[1,}"#, "line 3, column 63: expected a value, found '}'"),
  ]

  @Test(arguments: events) func `is refused with the line and the reason`(
    members: String, message: String
  ) {
    let keys = [("step", "3"), ("phase", "\"decode\""), ("layer", "0"), ("ids", "[[0,1]]")]
    let missing = keys.filter { !members.contains("\"\($0.0)\":") }
    let event = "{" + (missing.map { "\"\($0.0)\":\($0.1)" }).joined(separator: ",")
    let line =
      members.hasPrefix("\"step\"")
      ? "{\(members)," + event.dropFirst() + "}" : event + ",\(members)}"
    let text = TraceSamples.text(TraceSamples.line(2, 0), line, TraceSamples.line(9, 0))
    #expect(Reading(text).message == message)
    let recovered = Reading(text, isRecovering: true)
    #expect(recovered.message == "accepted")
    #expect((recovered.reader.damage?.description ?? "accepted") == message)
  }

  @Test func `lacks a key or has one twice`() {
    func message(_ line: String) -> String { Reading(TraceSamples.text(line)).message }
    #expect(
      message(#"{"phase":"decode","layer":0,"ids":[[0,1]]}"#)
        == "line 2: the key \"step\" is missing")
    #expect(
      message(#"{"step":0,"phase":"decode","layer":0}"#) == "line 2: the key \"ids\" is missing")
    #expect(message(#"{"step":0,"step":0}"#) == "line 2: step: stands here twice")
    #expect(message("[]") == "line 2, column 1: expected an object, found '['")
    #expect(
      message("{} {}") == "line 2, column 4: expected nothing more after the value, found '{'")
  }

  @Test func `that ends anywhere in its last line is truncated`() throws {
    let event =
      #"{"step":1,"phase":"decode","layer":0,"ids":[[0,1]],"weights":null,"scores":[[1,-2e-3,3,4,5]],"#
      + #""predicted":{"1":[[1,2,3,4,5]]},"x":true}"#
    let text = TraceSamples.text(TraceSamples.line(0, 0), event).dropLast()
    let start = text.count - event.utf8.count
    for length in start + 1..<text.count {
      let reading = Reading(Array(text.prefix(length)))
      #expect(
        reading.message == "line 3 ends in the middle: the trace was cut off", "\(length - start)")
      #expect(reading.events.count == 1)
    }
    #expect(Reading(Array(text.prefix(start))).message == "accepted")
    #expect(Reading(Array(text)).events.count == 2)
  }

  @Test func `gives its whole steps when it is recovered`() {
    let lines = (0..<4).flatMap { step in (0..<3).map { TraceSamples.line(step, $0) } }
    for damaged in lines.indices {
      var changed = lines
      changed[damaged] = #"{"step":"#
      let text = Array(([TraceSamples.headerLine] + changed).joined(separator: "\n").utf8)
      let reading = Reading(text, pieces: 17, isRecovering: true)
      #expect(reading.error == nil)
      #expect(reading.reader.damage != nil)
      #expect(reading.events.count == damaged / 3 * 3)
      #expect(reading.reader.stepCount == damaged / 3)
      #expect(reading.reader.droppedEventCount == damaged % 3)
    }
  }

  @Test func `whose bytes cannot be read on ends there`() throws {
    var reader = TraceReader(isRecovering: true)
    reader.feed(TraceSamples.text(TraceSamples.line(0, 0), TraceSamples.line(1, 0)))
    var count = 0
    while try reader.next() != nil { count += 1 }
    try reader.fail("the compression is damaged")
    while try reader.next() != nil { count += 1 }
    #expect(count == 1)
    #expect(reader.damage?.description == "line 4: the compression is damaged")
    var strict = TraceReader()
    strict.feed(TraceSamples.text())
    while try strict.next() != nil {}
    #expect(throws: TraceError.input(line: 2, problem: "bad")) { try strict.fail("bad") }
  }

  /// A mutation may give another valid trace; then it must be one that reads back to itself.
  @Test(arguments: 0..<10) func `never stops the program`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let whole = try TraceSamples.random(&random).text()
    let interesting = Array("[]{}:,\"\\-.e059\n".utf8) + [0, 0xC3, 0xFF]
    for _ in 0..<150 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = interesting.randomElement(using: &random)!
        case 1: bytes.insert(interesting.randomElement(using: &random)!, at: place)
        case 2: bytes.remove(at: place)
        default: bytes.removeSubrange(place..<bytes.count)
        }
      }
      _ = Reading(bytes, pieces: 30, isRecovering: true)
      guard let trace = try? RoutingTrace(reading: bytes) else { continue }
      #expect(try RoutingTrace(reading: trace.text()) == trace, "seed \(seed)")
    }
  }
}
