/// Why a text is no JSON document, or why a document is not the one that was expected.
public enum JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The text breaks the grammar at this place; lines and columns count from 1, columns in
  /// characters (Unicode scalars).
  case syntax(line: Int, column: Int, problem: String)
  /// A well-formed value is not what its reader needs. `path` is the value's place in the document,
  /// such as `costs.cpuFirst` or `layers[3]`; empty for the whole document.
  case mismatch(path: String, expected: String, found: String)

  public var description: String {
    switch self {
    case .syntax(let line, let column, let problem):
      "line \(line), column \(column): \(problem)"
    case .mismatch(let path, let expected, let found):
      (path.isEmpty ? "" : "\(path): ") + "expected \(expected), found \(found)"
    }
  }
}
