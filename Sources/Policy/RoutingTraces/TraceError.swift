import Experts

/// Why a text is no routing trace, or an event does not belong into one; lines count from 1.
public enum TraceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The first line is no header of a trace.
  case header(problem: String)
  /// A version of the format that this reader does not know.
  case version(found: Int)
  /// A line is no JSON object.
  case syntax(line: Int, column: Int, problem: String)
  /// The last line ends in the middle.
  case truncated(line: Int)
  /// A line, or the text before it, is longer than any trace of a real model has.
  case lineTooLong(line: Int, limitBytes: Int)
  /// An event lacks a key.
  case missing(line: Int, key: String)
  /// A value of the right kind that is impossible.
  case value(line: Int, key: String, problem: String)
  /// A row does not have one number for each activated expert, or for each expert.
  case rowLength(line: Int, key: String, row: Int, expected: Int, found: Int)
  /// A table does not have one row for each token.
  case rowCount(line: Int, key: String, expected: Int, found: Int)
  /// The text could not be read on, as where the file's compression is damaged.
  case input(line: Int, problem: String)
  /// Steps or layers are not in the order in which an engine runs them.
  case order(line: Int, problem: String)

  public var description: String {
    switch self {
    case .header(let problem):
      "line 1: this is no routing trace: \(problem)"
    case .version(let found):
      "line 1: the trace has version \(found) of the format, but only version "
        + "\(TraceHeader.version) is known; a newer release may read it"
    case .syntax(let line, let column, let problem):
      "line \(line), column \(column): \(problem)"
    case .truncated(let line):
      "line \(line) ends in the middle: the trace was cut off"
    case .lineTooLong(let line, let limit):
      "line \(line) is longer than \(limit) bytes"
    case .missing(let line, let key):
      "line \(line): the key \"\(key)\" is missing"
    case .value(let line, let key, let problem):
      "line \(line): \(key): \(problem)"
    case .rowLength(let line, let key, let row, let expected, let found):
      "line \(line): \(key): row \(row) has \(found) numbers, expected \(expected)"
    case .rowCount(let line, let key, let expected, let found):
      "line \(line): \(key) has \(found) rows, but ids has \(expected)"
    case .input(let line, let problem), .order(let line, let problem):
      "line \(line): \(problem)"
    }
  }
}
