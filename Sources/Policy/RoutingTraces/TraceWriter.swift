import Experts

/// Writes a routing trace, line by line, so that `TraceReader` reads the very same events.
///
/// Numbers get the fewest digits that read back to the same `Double`, or, where the header says that
/// they are, to the same `Float`.
public struct TraceWriter {
  public let header: TraceHeader
  private var order = StepOrder()
  // The number of the next line.
  private var line = 2

  /// A writer whose first line is in `text` already.
  ///
  /// - Throws: `TraceError.header` for a header that no reader would take.
  public init(_ header: TraceHeader, to text: inout [UInt8]) throws(TraceError) {
    if let problem = header.problem { throw .header(problem: problem) }
    self.header = header
    text.append(contentsOf: header.line.utf8)
    text.append(0x0A)
  }

  /// Appends an event's line to a text.
  ///
  /// - Throws: `TraceError` for an event that no reader would take, with the line it would have
  ///   had; the text is then unchanged.
  public mutating func append(_ event: RoutingEvent, to text: inout [UInt8]) throws(TraceError) {
    try check(event)
    try order.check(event, line: line)
    line += 1
    text.append(contentsOf: #"{"step":"#.utf8)
    text.append(contentsOf: String(event.step).utf8)
    text.append(contentsOf: #","phase":""#.utf8)
    text.append(contentsOf: event.phase.rawValue.utf8)
    text.append(contentsOf: #"","layer":"#.utf8)
    text.append(contentsOf: String(event.layer).utf8)
    text.append(contentsOf: #","ids":"#.utf8)
    append(numbers: event.ids, columns: header.activated, to: &text)
    if !event.weights.isEmpty {
      text.append(contentsOf: #","weights":"#.utf8)
      append(event.weights, columns: header.activated, to: &text)
    }
    if !event.scores.isEmpty {
      text.append(contentsOf: #","scores":"#.utf8)
      append(event.scores, columns: header.experts, to: &text)
    }
    if !event.predicted.isEmpty {
      text.append(contentsOf: #","predicted":{"#.utf8)
      for (index, predicted) in event.predicted.enumerated() {
        text.append(contentsOf: (index > 0 ? ",\"" : "\"").utf8)
        text.append(contentsOf: String(predicted.layer).utf8)
        text.append(contentsOf: "\":".utf8)
        append(predicted.scores, columns: header.experts, to: &text)
      }
      text.append(UInt8(ascii: "}"))
    }
    if let time = event.microseconds {
      text.append(contentsOf: #","at":"#.utf8)
      text.append(contentsOf: time.description.utf8)
    }
    text.append(contentsOf: "}\n".utf8)
  }

  private func append(_ values: [Double], columns: Int, to text: inout [UInt8]) {
    if header.numbers == .float32 {
      append(numbers: values.map { Float($0) }, columns: columns, to: &text)
    } else {
      append(numbers: values, columns: columns, to: &text)
    }
  }

  private func append(
    numbers values: [some CustomStringConvertible], columns: Int, to text: inout [UInt8]
  ) {
    text.append(UInt8(ascii: "["))
    for index in values.indices {
      if index % columns == 0 {
        text.append(contentsOf: (index > 0 ? ",[" : "[").utf8)
      } else {
        text.append(UInt8(ascii: ","))
      }
      text.append(contentsOf: values[index].description.utf8)
      if index % columns == columns - 1 { text.append(UInt8(ascii: "]")) }
    }
    text.append(UInt8(ascii: "]"))
  }

  // MARK: What a reader would refuse

  private func check(_ event: RoutingEvent) throws(TraceError) {
    guard event.step >= 0 else { throw value("step", "\(event.step) is negative") }
    guard (0..<header.layers).contains(event.layer) else {
      throw value("layer", "\(event.layer) is not in 0 to \(header.layers - 1)")
    }
    let tokens = event.ids.count / header.activated
    guard tokens > 0, event.ids.count % header.activated == 0 else {
      throw value("ids", "\(event.ids.count) numbers are no rows of \(header.activated)")
    }
    for row in 0..<tokens {
      let ids = event.ids[row * header.activated..<(row + 1) * header.activated]
      for (place, id) in zip(ids.indices, ids) {
        guard (0..<header.experts).contains(id) else {
          throw value("ids", "expert \(id) is not in 0 to \(header.experts - 1)")
        }
        guard !ids[..<place].contains(id) else {
          throw value("ids", "row \(row) has expert \(id) twice")
        }
      }
    }
    if let time = event.microseconds, !(time >= 0 && time.isFinite) {
      throw value("at", "\(time) is no time since the start")
    }
    try check("weights", event.weights, tokens * header.activated)
    try check("scores", event.scores, tokens * header.experts)
    var later = event.layer
    for predicted in event.predicted {
      guard predicted.layer > later, predicted.layer < header.layers else {
        throw value("predicted", "layer \(predicted.layer) is not a later layer, in order")
      }
      later = predicted.layer
      guard !predicted.scores.isEmpty else { throw value("predicted", "there are no scores") }
      try check("predicted", predicted.scores, tokens * header.experts)
    }
  }

  private func check(_ key: String, _ values: [Double], _ count: Int) throws(TraceError) {
    guard values.isEmpty || values.count == count else {
      throw value(key, "expected \(count) numbers, found \(values.count)")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw value(key, "a number is not finite, which JSON cannot write")
    }
    guard header.numbers == .float64 || values.allSatisfy({ Double(Float($0)) == $0 }) else {
      throw value(key, "a number is no Float, as the header says that all are")
    }
  }

  private func value(_ key: String, _ problem: String) -> TraceError {
    .value(line: line, key: key, problem: problem)
  }
}

extension RoutingTrace {
  /// The whole trace as text.
  ///
  /// - Throws: `TraceError` where an event cannot be written.
  public func text() throws(TraceError) -> [UInt8] {
    var text: [UInt8] = []
    var writer = try TraceWriter(header, to: &text)
    for event in events { try writer.append(event, to: &text) }
    return text
  }
}
