import Compression
import Experts
import RoutingTraces

/// A routing trace that the user named, read event by event; `-` is standard input.
///
/// Gzip data is told by its first bytes, and must be there where the name ends in `.gz`.
final class TraceFile {
  /// The file as messages name it.
  let name: String
  let header: TraceHeader
  private(set) var isCompressed: Bool

  private let input: InputChunks
  private var source: Source

  // What turns bytes into events; apart, because it works before all of the class is there.
  private struct Source: ~Copyable {
    var reader: TraceReader
    var inflater: Inflater?
    /// What ended the bytes before their time.
    var failure: String?
    var hasEnded = false
    /// The event that was read to get at the header.
    var first: RoutingEvent?
  }

  /// Opens a trace and reads its header.
  ///
  /// - Parameter isRecovering: whether damage ends the trace after its last whole step; see `damage`.
  /// - Throws: `CommandFailure` naming the file and, where it is damaged, the line.
  init(path: String, isRecovering: Bool = false) throws {
    input = try InputChunks(path: path)
    name = input.name
    var beginning: [UInt8] = []
    while beginning.count < Inflater.magic.count, let chunk = try input.next() {
      beginning += chunk
    }
    isCompressed = beginning.starts(with: Inflater.magic)
    if path.hasSuffix(".gz"), !isCompressed {
      throw CommandFailure("\(name) is not gzip data, although its name ends in .gz.")
    }
    source = Source(reader: TraceReader(isRecovering: isRecovering))
    if isCompressed { source.inflater = try Inflater() }
    Self.take(beginning, into: &source)
    source.first = try Self.next(&source, from: input)
    guard let header = source.reader.header else {
      // The reader throws where there is no header.
      throw CommandFailure("\(name) has no header.")
    }
    self.header = header
  }

  /// The next event; nil at the end.
  ///
  /// - Throws: `CommandFailure` naming the file and the line.
  func next() throws -> RoutingEvent? {
    if let first = source.first {
      source.first = nil
      return first
    }
    return try Self.next(&source, from: input)
  }

  /// What ended a trace that is being recovered, once `next` has returned nil.
  var damage: String? { source.reader.damage?.description }
  /// Steps of which events were returned.
  var stepCount: Int { source.reader.stepCount }
  /// Events before the damage that were left out because their step is not whole.
  var droppedEventCount: Int { source.reader.droppedEventCount }

  private static func next(
    _ source: inout Source, from input: InputChunks
  ) throws -> RoutingEvent? {
    do throws(TraceError) {
      while true {
        if let event = try source.reader.next() { return event }
        if let failure = source.failure {
          source.failure = nil
          source.hasEnded = true
          try source.reader.fail(failure)
          continue
        }
        if source.hasEnded { return nil }
        let chunk: [UInt8]?
        do { chunk = try input.next() } catch {
          // A disk or network that fails is damage too.
          source.failure = TerminalText.withoutFullStop("\(error)")
          continue
        }
        if let chunk {
          take(chunk, into: &source)
        } else {
          end(&source)
        }
      }
    } catch {
      // Without a header there is nothing to keep.
      let hint = source.reader.header == nil ? "" : " \(recovery)"
      throw CommandFailure("\(input.name): \(error).\(hint)")
    }
  }

  private static let recovery = "'hybrimoe trace show --recover' tells how much can be saved."

  private static func take(_ bytes: [UInt8], into source: inout Source) {
    guard source.inflater != nil else { return source.reader.feed(bytes) }
    var text: [UInt8] = []
    do throws(GzipError) {
      try source.inflater?.unpack(bytes, to: &text)
    } catch { source.failure = error.description }
    source.reader.feed(text)
  }

  private static func end(_ source: inout Source) {
    do throws(GzipError) {
      try source.inflater?.finish()
      source.reader.endInput()
      source.hasEnded = true
    } catch { source.failure = error.description }
  }
}
