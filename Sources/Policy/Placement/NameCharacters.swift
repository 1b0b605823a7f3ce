/// A set of characters.
struct NameCharacters: Equatable, Sendable {
  enum Item: Equatable, Sendable {
    case range(ClosedRange<Unicode.Scalar>)
    case digit(Bool)
    case word(Bool)
    case space(Bool)
  }

  var items: [Item]
  var isNegated = false

  /// All but a line's end, as `.` means it.
  static let any = NameCharacters(items: [.range("\n"..."\n")], isNegated: true)

  func contain(_ scalar: Unicode.Scalar) -> Bool {
    items.contains { item in
      switch item {
      case .range(let range): range.contains(scalar)
      case .digit(let isOne): (scalar.properties.generalCategory == .decimalNumber) == isOne
      case .word(let isOne): Self.isWord(scalar) == isOne
      case .space(let isOne): Self.isSpace(scalar) == isOne
      }
    } != isNegated
  }

  /// As Python: what `str.isalnum` accepts, and the underscore.
  static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "_" { return true }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber:
      return true
    default: return false
    }
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }
}

/// Sets of characters in brackets, and the escapes that stand for characters.
enum NameClass {
  /// The class that begins at `position`.
  static func parse(
    _ scalars: [Unicode.Scalar], _ position: inout Int
  ) throws(NamePatternError) -> NameCharacters {
    let start = position
    var result = NameCharacters(items: [])
    position += 1
    if position < scalars.count, scalars[position] == "^" {
      result.isNegated = true
      position += 1
    }
    let first = position
    while position < scalars.count, scalars[position] != "]" || position == first {
      let itemStart = position
      let item = try item(scalars, &position)
      let isRange =
        position + 1 < scalars.count && scalars[position] == "-" && scalars[position + 1] != "]"
      guard isRange else {
        result.items.append(item)
        continue
      }
      position += 1
      guard case .range(let low) = item, case .range(let high) = try self.item(scalars, &position),
        low.lowerBound <= high.lowerBound
      else { throw .invalid(offset: itemStart, problem: "a range of characters is wrong") }
      result.items.append(.range(low.lowerBound...high.lowerBound))
    }
    guard position < scalars.count else {
      throw .invalid(offset: start, problem: "a '[' without its ']'")
    }
    position += 1
    return result
  }

  private static func item(
    _ scalars: [Unicode.Scalar], _ position: inout Int
  ) throws(NamePatternError) -> NameCharacters.Item {
    guard scalars[position] == "\\" else {
      position += 1
      return .range(scalars[position - 1]...scalars[position - 1])
    }
    return try escape(scalars, &position)
  }

  /// A backslash and what follows it, where it stands for one character or a kind of them.
  static func escape(
    _ scalars: [Unicode.Scalar], _ position: inout Int
  ) throws(NamePatternError) -> NameCharacters.Item {
    guard position + 1 < scalars.count else {
      throw .invalid(offset: position, problem: "a '\\' at the end")
    }
    let scalar = scalars[position + 1]
    position += 2
    switch scalar {
    case "d": return .digit(true)
    case "D": return .digit(false)
    case "w": return .word(true)
    case "W": return .word(false)
    case "s": return .space(true)
    case "S": return .space(false)
    case "n": return .range("\n"..."\n")
    case "t": return .range("\t"..."\t")
    case "r": return .range("\r"..."\r")
    case "a"..."z", "A"..."Z", "0"..."9":
      throw .unsupported(offset: position - 2, what: "the escape '\\\(scalar)'")
    default: return .range(scalar...scalar)
    }
  }
}
