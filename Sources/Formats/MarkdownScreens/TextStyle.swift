/// How text looks on a terminal.
///
/// Nothing here depends on the background: weights and slants, and of the sixteen colours only
/// magenta, which is readable on dark and on light ones.
public struct TextStyle: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let bold = TextStyle(rawValue: 1)
  public static let dim = TextStyle(rawValue: 2)
  public static let italic = TextStyle(rawValue: 4)
  public static let underline = TextStyle(rawValue: 8)
  public static let strike = TextStyle(rawValue: 16)
  public static let code = TextStyle(rawValue: 32)

  /// The sequence that turns the style on (ECMA-48 §8.3.117, SGR); empty for none.
  var sequence: String {
    let parameters: [(TextStyle, String)] = [
      (.bold, "1"), (.dim, "2"), (.italic, "3"), (.underline, "4"), (.strike, "9"), (.code, "35"),
    ]
    let on = parameters.filter { contains($0.0) }.map(\.1)
    return on.isEmpty ? "" : "\u{1B}[\(on.joined(separator: ";"))m"
  }

  static let off = "\u{1B}[0m"
}

/// Text in one style.
struct StyledSpan: Sendable, Equatable {
  var text: String
  var style: TextStyle

  init(_ text: String, _ style: TextStyle = []) {
    self.text = text
    self.style = style
  }
}
