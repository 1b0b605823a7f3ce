/// Columns that text takes on a terminal.
///
/// Terminals do not agree about characters that are made of several scalars, such as a family of
/// emoji: some show one picture of two columns, others each part. `Rule` says which kind the terminal
/// is; everything else is Unicode's table of wide characters.
public struct ColumnMeter: Sendable, Equatable {
  /// How a terminal treats a character that is made of several scalars.
  public enum Rule: Sendable, Equatable {
    /// Whole characters: an emoji sequence is one picture.
    case characters
    /// Scalar by scalar, as terminals did before they knew sequences.
    case scalars
  }

  public var rule: Rule

  public init(_ rule: Rule = .characters) { self.rule = rule }

  /// Columns of a character, 0 to 2 by the rule of characters; control characters take none.
  public func columns(_ character: Character) -> Int {
    if let value = character.asciiValue { return value >= 0x20 && value != 0x7F ? 1 : 0 }
    let sum = character.unicodeScalars.reduce(0) { $0 + Self.columns($1) }
    guard rule == .characters else { return sum }
    return Self.isPicture(character) ? 2 : sum
  }

  /// Columns of a text on one line.
  public func columns(_ text: some Sequence<Character>) -> Int {
    text.reduce(0) { $0 + columns($1) }
  }

  /// Columns of one scalar: 2 where Unicode says wide, 0 where it is drawn over its neighbour.
  public static func columns(_ scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    if value < 0x300 { return value < 0x20 || (0x7F..<0xA0).contains(value) ? 0 : 1 }
    // Vowels and final consonants of Hangul are drawn into the block of the consonant before them.
    if (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value) { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: return 0
    default: return WideCharacters.contains(value) ? 2 : 1
    }
  }

  /// Whether several scalars are one emoji: joined, with a skin tone, asked for as a picture, a flag.
  private static func isPicture(_ character: Character) -> Bool {
    let scalars = character.unicodeScalars
    guard scalars.count > 1, let first = scalars.first else { return false }
    if first.properties.isEmoji, first.value > 0xFF {
      return scalars.dropFirst().contains {
        $0.value == 0x200D || $0.value == 0xFE0F || $0.properties.isEmojiModifier
      } || (0x1F1E6...0x1F1FF).contains(first.value)
    }
    // A digit in a box: the digit, the wish for a picture, the box.
    return scalars.contains { $0.value == 0x20E3 } && scalars.contains { $0.value == 0xFE0F }
  }
}
