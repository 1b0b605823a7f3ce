/// Why a chat template cannot be read, or cannot be rendered for some messages.
public struct ChatTemplateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it was.
  public enum Reason: String, Sendable {
    /// The template breaks the grammar of its language.
    case syntax
    /// Something went wrong while rendering.
    case rendering
    /// The template itself refused the conversation, with `raise_exception`.
    case refused
    /// A limit on steps, depth or size was reached.
    case limit
  }

  public let reason: Reason
  /// Where, counted from 1; columns in characters (Unicode scalars).
  public let line: Int
  public let column: Int
  /// What went wrong, in plain words; for a refusal what the template says.
  public let message: String

  public var description: String {
    switch reason {
    case .refused: "The chat template refuses the conversation: \(message) (line \(line))"
    case .syntax: "The chat template is wrong at line \(line), column \(column): \(message)"
    case .rendering, .limit:
      "The chat template fails at line \(line), column \(column): \(message)"
    }
  }
}

/// A place in a template, counted from 1.
struct Position: Sendable, Equatable {
  var line = 1
  var column = 1

  func error(_ message: String) -> ChatTemplateError {
    ChatTemplateError(reason: .syntax, line: line, column: column, message: message)
  }
}

/// A failure of an operation on values, which does not know where in the template it happens.
struct Failure: Error {
  var reason = ChatTemplateError.Reason.rendering
  let message: String

  init(_ message: String, reason: ChatTemplateError.Reason = .rendering) {
    self.message = message
    self.reason = reason
  }

  static func limit(_ message: String) -> Failure { Failure(message, reason: .limit) }
}
