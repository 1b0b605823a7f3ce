import Experts
import OrderedJSON

/// Reads one line of a trace into an event.
///
/// Keys may come in any order. Numbers go straight from the text into the event's tables, for a
/// long trace is mostly numbers.
struct EventParser {
  let header: TraceHeader
  let line: Int
  private var scanner: JSONScanner
  private var seen: Set<String> = []
  private var step = 0
  private var phase = Phase.decode
  private var layer = 0
  private var ids: (rows: Int, values: [Int]) = (0, [])
  private var weights: (rows: Int, values: [Double])?
  private var scores: (rows: Int, values: [Double])?
  private var predicted: [(key: String, layer: Int, rows: Int, values: [Double])] = []
  private var microseconds: Double?
  /// The tokens of the last event, which are likely to be those of this one.
  private let expectedTokens: Int

  init(
    _ header: TraceHeader, bytes: [UInt8], in range: Range<Int>, line: Int, expectedTokens: Int
  ) {
    self.header = header
    self.line = line
    self.expectedTokens = expectedTokens
    scanner = JSONScanner(bytes, in: range, firstLine: line)
  }

  /// Whether the line was read to its last byte.
  var hasReachedEnd: Bool { scanner.isAtEnd }

  /// The event.
  mutating func event() throws(TraceError) -> RoutingEvent {
    do {
      try members()
    } catch let error as TraceError {
      throw error
    } catch JSONError.syntax(let line, let column, let problem) {
      throw .syntax(line: line, column: column, problem: problem)
    } catch {
      // The scanner throws nothing else.
      throw .value(line: line, key: "", problem: "\(error)")
    }
    for key in ["step", "phase", "layer", "ids"] where !seen.contains(key) {
      throw .missing(line: line, key: key)
    }
    try checkTables()
    return RoutingEvent(
      step: step, phase: phase, layer: layer, ids: ids.values, weights: weights?.values ?? [],
      scores: scores?.values ?? [],
      predicted: predicted.map { PredictedScores(layer: $0.layer, scores: $0.values) },
      microseconds: microseconds)
  }

  private mutating func members() throws {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      switch key {
      case "step", "phase", "layer", "ids", "weights", "scores", "predicted", "at":
        guard seen.insert(key).inserted else { throw value(key, "stands here twice") }
        try member(key)
      default: try scanner.skipValue()
      }
    }
    try scanner.finish()
  }

  private mutating func member(_ key: String) throws {
    switch key {
    case "step":
      step = try scanner.integer()
      guard step >= 0 else { throw value(key, "\(step) is negative; steps count from 0") }
    case "phase":
      let name = try scanner.string()
      guard let phase = Phase(rawValue: name) else {
        throw value(key, "expected \"prefill\" or \"decode\", found \"\(name)\"")
      }
      self.phase = phase
    case "layer":
      layer = try scanner.integer()
      guard (0..<header.layers).contains(layer) else {
        throw value(key, "\(layer) is not in 0 to \(header.layers - 1)")
      }
    case "ids": try readIDs()
    // An optional table that is null is one that is not there.
    case "weights":
      if try !scanner.null() { weights = try table(key, columns: header.activated) }
    case "scores":
      if try !scanner.null() { scores = try table(key, columns: header.experts) }
    case "at":
      if try !scanner.null() {
        let time = try scanner.double()
        guard time >= 0 else { throw value(key, "\(time) is negative; times count from the start") }
        microseconds = time
      }
    default:
      if try !scanner.null() { try readPredicted() }
    }
  }

  private mutating func readIDs() throws {
    var rows = 0
    var values: [Int] = []
    values.reserveCapacity(expectedTokens * header.activated)
    try scanner.beginArray()
    while try scanner.nextElement() {
      let rowStart = values.count
      try scanner.beginArray()
      while try scanner.nextElement() {
        let id = try scanner.integer()
        guard (0..<header.experts).contains(id) else {
          throw value(
            "ids",
            "row \(rows) has expert \(id), which is not in 0 to "
              + "\(header.experts - 1)")
        }
        guard !values[rowStart...].contains(id) else {
          throw value("ids", "row \(rows) has expert \(id) twice")
        }
        values.append(id)
      }
      try checkLength("ids", row: rows, values.count - rowStart, header.activated)
      rows += 1
    }
    guard rows > 0 else { throw value("ids", "there is no row, so no token") }
    ids = (rows, values)
  }

  private mutating func readPredicted() throws {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      guard let layer = Int(key), "\(layer)" == key, (0..<header.layers).contains(layer) else {
        throw value("predicted", "\"\(key)\" is no layer from 0 to \(header.layers - 1)")
      }
      guard !predicted.contains(where: { $0.layer == layer }) else {
        throw value("predicted", "layer \(layer) stands here twice")
      }
      let name = "predicted layer \(key)"
      let table = try table(name, columns: header.experts)
      predicted.append((name, layer, table.rows, table.values))
    }
    predicted.sort { $0.layer < $1.layer }
  }

  private mutating func table(
    _ key: String, columns: Int
  ) throws -> (rows: Int, values: [Double]) {
    let isFloat = header.numbers == .float32
    var rows = 0
    var values: [Double] = []
    values.reserveCapacity(expectedTokens * columns)
    try scanner.beginArray()
    while try scanner.nextElement() {
      let rowStart = values.count
      try scanner.beginArray()
      while try scanner.nextElement() {
        let number = try scanner.double()
        guard !isFloat || Float(number).isFinite else {
          throw value(key, "\(number) is too large for a Float, as the header says that all are")
        }
        values.append(isFloat ? Double(Float(number)) : number)
      }
      try checkLength(key, row: rows, values.count - rowStart, columns)
      rows += 1
    }
    return (rows, values)
  }

  private func checkTables() throws(TraceError) {
    var tables = predicted.map { ($0.key, $0.rows) }
    if let weights { tables.append(("weights", weights.rows)) }
    if let scores { tables.append(("scores", scores.rows)) }
    for (key, rows) in tables where rows != ids.rows {
      throw .rowCount(line: line, key: key, expected: ids.rows, found: rows)
    }
    for prediction in predicted where prediction.layer <= layer {
      throw value("predicted", "layer \(prediction.layer) is not later than layer \(layer)")
    }
  }

  private func checkLength(
    _ key: String, row: Int, _ found: Int, _ expected: Int
  ) throws(TraceError) {
    guard found != expected else { return }
    throw .rowLength(line: line, key: key, row: row, expected: expected, found: found)
  }

  private func value(_ key: String, _ problem: String) -> TraceError {
    .value(line: line, key: key, problem: problem)
  }
}
