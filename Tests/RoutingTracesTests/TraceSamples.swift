import Experts
import RoutingTraces
import TestSupport

/// Traces for tests.
enum TraceSamples {
  static let header = TraceHeader(
    model: "tiny", layers: 3, experts: 5, activated: 2, expertBytes: [10, 10, 10])
  static let headerLine =
    #"{"format":"hybrimoe-trace","version":1,"model":"tiny","layers":3,"experts":5,"activated":2,"expertBytes":10}"#

  static func text(_ lines: String...) -> [UInt8] {
    Array(([headerLine] + lines).joined(separator: "\n").utf8) + [0x0A]
  }

  /// A line of one token with the least that an event has.
  static func line(_ step: Int, _ layer: Int, phase: String = "decode") -> String {
    #"{"step":\#(step),"phase":"\#(phase)","layer":\#(layer),"ids":[[\#(step % 5),\#((step + 1) % 5)]]}"#
  }

  /// Any trace that the format allows.
  static func random(_ random: inout SeededGenerator) -> RoutingTrace {
    func upTo(_ limit: Int) -> Int { Int.random(in: 1...limit, using: &random) }
    let layers = upTo(4)
    let experts = upTo(9)
    let bytes = (0..<layers).map { _ in upTo(1000) }
    let header = TraceHeader(
      model: ["m", "a \"b\"\n", "é😀"].randomElement(using: &random)!, layers: layers,
      experts: experts, activated: upTo(experts),
      expertBytes: Bool.random(using: &random)
        ? bytes : Array(repeating: 7, count: layers),
      numbers: Bool.random(using: &random) ? .float32 : .float64)
    var events: [RoutingEvent] = []
    var step = 0
    for _ in 0..<Int.random(in: 0...5, using: &random) {
      let phase = Phase.allCases.randomElement(using: &random)!
      for layer in 0..<layers where Int.random(in: 0...5, using: &random) > 0 {
        events.append(event(header, step: step, phase: phase, layer: layer, &random))
      }
      step += upTo(3)
    }
    return RoutingTrace(header: header, events: events)
  }

  private static func event(
    _ header: TraceHeader, step: Int, phase: Phase, layer: Int, _ random: inout SeededGenerator
  ) -> RoutingEvent {
    let tokens = Int.random(in: 1...3, using: &random)
    func table(_ columns: Int) -> [Double] {
      let numbers: [Double] = (0..<tokens * columns).map { _ in
        switch Int.random(in: 0...3, using: &random) {
        case 0: 0
        case 1: Double(Int.random(in: -9...9, using: &random)) / 8
        case 2: Double(bitPattern: random.next() & ~(1 << 62))
        default: Double.random(in: 0...1, using: &random)
        }
      }
      return header.numbers == .float32 ? numbers.map { Double(Float($0)) } : numbers
    }
    var event = RoutingEvent(
      step: step, phase: phase, layer: layer,
      ids: (0..<tokens).flatMap { _ in
        (0..<header.experts).shuffled(using: &random).prefix(header.activated)
      })
    if Bool.random(using: &random) { event.weights = table(header.activated) }
    if Bool.random(using: &random) { event.scores = table(header.experts) }
    for later in layer + 1..<max(layer + 1, header.layers) where Bool.random(using: &random) {
      event.predicted.append(PredictedScores(layer: later, scores: table(header.experts)))
    }
    if Bool.random(using: &random) { event.microseconds = .random(in: 0...1e9, using: &random) }
    return event
  }
}

/// What a reader makes of a text that comes in pieces.
struct Reading {
  var events: [RoutingEvent] = []
  var reader: TraceReader
  var error: TraceError?

  init(_ text: [UInt8], pieces: Int = Int.max, isRecovering: Bool = false) {
    reader = TraceReader(isRecovering: isRecovering)
    do throws(TraceError) {
      var rest = text[...]
      while !rest.isEmpty {
        reader.feed(rest.prefix(pieces))
        rest = rest.dropFirst(pieces)
        while let event = try reader.next() { events.append(event) }
      }
      reader.endInput()
      while let event = try reader.next() { events.append(event) }
    } catch { self.error = error }
  }

  var message: String { error?.description ?? "accepted" }
}
