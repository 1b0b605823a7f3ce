import Glibc

/// Text from a file or a model, made harmless for a terminal.
enum TerminalText {
  /// Columns of the terminal on standard output; 80 where it is no terminal.
  static var width: Int {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// The text on one line: line breaks and tabs as `\n` and `\t`, every other control character as
  /// its number, so that no escape sequence reaches the terminal.
  static func safe(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
          result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        default: result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }

  /// Text of several lines, whose line breaks and tabs stay, and with them what joins letters and
  /// emoji; every other control character is shown as its number.
  static func safeLines(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n", "\t", "\u{200C}", "\u{200D}": result.unicodeScalars.append(scalar)
      default: result += safe(String(scalar))
      }
    }
    return result
  }

  /// The text on one line, at most `width` characters, so that no file can flood the terminal.
  static func safe(_ text: String, width: Int) -> String {
    // A character shown is at least one scalar, and at most width of them are looked at.
    shortened(safe(String(String.UnicodeScalarView(text.unicodeScalars.prefix(width + 1)))), width)
  }

  /// Prose on lines that fit the terminal, each ended by a line break; a word that is longer than a
  /// line stays whole.
  ///
  /// - Parameter indent: spaces before every line but the first.
  static func wrapped(_ text: String, width: Int = TerminalText.width, indent: Int = 0) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var result = ""
      var column = 0
      for (index, word) in words(line).enumerated() {
        let length = TextTable.width(word)
        if index > 0, column + 1 + length > max(width, 40) {
          result += "\n" + String(repeating: " ", count: indent)
          column = indent
        } else if index > 0 {
          result += " "
          column += 1
        }
        result += word
        column += length
      }
      return result + "\n"
    }.joined()
  }

  // What spaces separate, where a line may break: not between a number and its unit.
  private static func words(_ line: Substring) -> [String] {
    var words: [String] = []
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      let isUnit = word.prefixMatch(of: /(%|[kMGT]?B|ms|us|s|tokens\/s)($|[.,;:)])/) != nil
      if isUnit, let last = words.last, last.last?.isNumber == true {
        words[words.count - 1] = last + " " + word
      } else {
        words.append(String(word))
      }
    }
    return words
  }

  /// A sentence as a part of another one.
  static func withoutFullStop(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  /// The lines of a text as the end of a message, which gets its line break later.
  static func withoutLineBreak(_ text: String) -> String {
    text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// The beginning of a text, with a sign that there is more where it is longer than `width`.
  static func shortened(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(max(1, width - 1)) + "…"
  }

  /// A line that was typed, without the control characters and sequences that keys send which the
  /// terminal does not handle itself, such as arrows (`ESC [ A`, `ESC [ 1 ; 5 C` or `ESC O A`).
  static func typed(_ line: String) -> String {
    var result = ""
    var rest = line.unicodeScalars[...]
    let isFinal = { (scalar: Unicode.Scalar) in (0x40...0x7E).contains(scalar.value) }
    while let scalar = rest.popFirst() {
      guard scalar == "\u{1B}" else {
        if scalar == "\t" || scalar.properties.generalCategory != .control {
          result.unicodeScalars.append(scalar)
        }
        continue
      }
      guard let introducer = rest.first, introducer == "[" || introducer == "O" else { continue }
      rest.removeFirst()
      // Parameters stand before the final character (ECMA-48, 5.4).
      rest = rest.drop { introducer == "[" && (0x20...0x3F).contains($0.value) }
      if let final = rest.first, isFinal(final) { rest.removeFirst() }
    }
    return result
  }

  /// The text with its line breaks and tabs but without other control characters.
  static func harmless(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let isSafe =
        scalar == "\n" || scalar == "\t" || scalar.properties.generalCategory != .control
      if isSafe { result.unicodeScalars.append(scalar) }
    }
    return result
  }
}
