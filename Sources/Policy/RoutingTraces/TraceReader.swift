import Experts
import OrderedJSON

/// Reads a routing trace piece by piece: bytes in, events out; only one line is held at a time.
///
///     var reader = TraceReader()
///     while let chunk = try file.read() {
///       reader.feed(chunk)
///       while let event = try reader.next() { … }
///     }
///     reader.endInput()
///     while let event = try reader.next() { … }
///
/// Refused are, besides what is no JSON: an unknown version, a layer or expert out of range, a row
/// of the wrong length, an expert twice in a row, an event without rows, a step that goes back,
/// layers of a step that do not ascend, and a last line that ends in the middle. Unknown keys,
/// blank lines and a missing last line break are not errors. A prediction of a layer that is not
/// later is one.
///
/// With `isRecovering` an error after the header ends the trace instead: the whole steps before it
/// are kept, and `damage` says what stood there. An event is then held back until its step is known
/// to be whole, because a later step begins, the step's last layer is there, or the trace ends well.
public struct TraceReader {
  /// More than the text of 16,000 tokens of the largest published layer, its scores and three
  /// predictions included; a line beyond is no trace's, and would only exhaust memory.
  public static let maximumLineBytes = 1 << 30
  /// The same for the header: ten times one with a size for each of `TraceHeader.maximumLayers`.
  static let maximumHeaderBytes = 1 << 20

  /// The header, once `next` has been called with the first line fed.
  public private(set) var header: TraceHeader?
  /// Whether damage ends the trace instead of throwing.
  public let isRecovering: Bool
  /// What ended a trace that is recovered; nil for one that ended well or has not ended.
  public private(set) var damage: TraceError?
  /// Steps of which events were returned.
  public private(set) var stepCount = 0
  /// Events that were read but not returned, because damage left their step incomplete.
  public private(set) var droppedEventCount = 0

  private var buffer: [UInt8] = []
  // Lines before `lineStart` are done; between it and `searched` there is no line break.
  private var lineStart = 0
  private var searched = 0
  private var lineNumber = 1
  private var hasEnded = false
  private var order = StepOrder()
  private var lastReturnedStep: Int?
  private var tokens = 1
  // Only used while recovering: events of a step that may not be whole, and those that are.
  private var pending: [RoutingEvent] = []
  private var whole: [RoutingEvent] = []
  private var returnedWhole = 0

  public init(isRecovering: Bool = false) { self.isRecovering = isRecovering }

  /// Takes the next bytes of the text; must not follow `endInput`.
  public mutating func feed(_ bytes: some Collection<UInt8>) {
    precondition(!hasEnded, "there is no input after its end")
    if lineStart > 0 {
      buffer.removeSubrange(..<lineStart)
      searched -= lineStart
      lineStart = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Says that there are no more bytes.
  public mutating func endInput() { hasEnded = true }

  /// The next event; nil where more bytes are needed, or after `endInput` at the end.
  ///
  /// - Throws: `TraceError`; after one the reader must not be used any more.
  public mutating func next() throws(TraceError) -> RoutingEvent? {
    guard isRecovering else {
      guard let event = try parseNext() else { return nil }
      return counted(event)
    }
    while true {
      if returnedWhole < whole.count {
        returnedWhole += 1
        return counted(whole[returnedWhole - 1])
      }
      whole.removeAll(keepingCapacity: true)
      returnedWhole = 0
      if damage != nil { return nil }
      do {
        let last = order
        guard let event = try parseNext() else {
          if hasEnded { releasePending() }
          if whole.isEmpty { return nil }
          continue
        }
        if last.begins(event.step) { releasePending() }
        pending.append(event)
        if event.layer == (header?.layers ?? 0) - 1 { releasePending() }
      } catch {
        guard header != nil else { throw error }
        end(with: error)
      }
    }
  }

  /// Ends a trace whose bytes cannot be read any further, as damage to its compression does: while
  /// recovering as with damage in the text itself, else by throwing. Call it when `next` has
  /// returned nil: lines that are still unread are dropped.
  public mutating func fail(_ problem: String) throws(TraceError) {
    let error = TraceError.input(line: lineNumber, problem: problem)
    guard isRecovering, header != nil else { throw error }
    hasEnded = true
    end(with: error)
  }

  private mutating func end(with error: TraceError) {
    damage = error
    droppedEventCount += pending.count
    pending = []
  }

  private mutating func releasePending() {
    whole += pending
    pending.removeAll(keepingCapacity: true)
  }

  private mutating func counted(_ event: RoutingEvent) -> RoutingEvent {
    if event.step != lastReturnedStep {
      stepCount += 1
      lastReturnedStep = event.step
    }
    return event
  }

  // MARK: Lines

  private mutating func parseNext() throws(TraceError) -> RoutingEvent? {
    while let line = try nextLine() {
      let number = lineNumber
      let isLast = line.upperBound == buffer.count
      lineNumber += 1
      if buffer[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      guard let header else {
        header = try TraceHeader(line: buffer, in: line)
        continue
      }
      var parser = EventParser(
        header, bytes: buffer, in: line, line: number, expectedTokens: tokens)
      do {
        let event = try parser.event()
        try order.check(event, line: number)
        tokens = event.ids.count / header.activated
        return event
      } catch {
        if isLast, hasEnded, case .syntax = error, parser.hasReachedEnd {
          throw .truncated(line: number)
        }
        throw error
      }
    }
    if hasEnded, header == nil {
      throw .header(problem: "it has no line; the first must be the header")
    }
    return nil
  }

  /// The bytes of the next line without its line break; nil where it is not there yet.
  private mutating func nextLine() throws(TraceError) -> Range<Int>? {
    if let lineBreak = buffer[searched...].firstIndex(of: 0x0A) {
      defer {
        lineStart = lineBreak + 1
        searched = lineBreak + 1
      }
      return lineStart..<lineBreak
    }
    searched = buffer.count
    // Whatever is no trace and has no line breaks is refused before it fills the memory.
    let limit = header == nil ? Self.maximumHeaderBytes : Self.maximumLineBytes
    guard buffer.count - lineStart <= limit else {
      throw .lineTooLong(line: lineNumber, limitBytes: limit)
    }
    guard hasEnded, lineStart < buffer.count else { return nil }
    defer { lineStart = buffer.count }
    return lineStart..<buffer.count
  }
}

extension RoutingTrace {
  /// A whole trace from its text.
  ///
  /// - Throws: `TraceError`.
  public init(reading bytes: [UInt8]) throws(TraceError) {
    var reader = TraceReader()
    reader.feed(bytes)
    reader.endInput()
    var events: [RoutingEvent] = []
    while let event = try reader.next() { events.append(event) }
    guard let header = reader.header else {
      throw .header(problem: "it has no line; the first must be the header")
    }
    self.init(header: header, events: events)
  }
}
