/// What the escape sequences of keys mean: xterm's, the VT220's, rxvt's, and those that spell any key
/// with its modifiers (`CSI 27;m;c ~` and `CSI c;m u`).
enum EscapeSequence {
  /// `ESC O x`.
  static func singleShift(_ final: UInt8) -> Key {
    switch final {
    case UInt8(ascii: "M"): .enter
    case UInt8(ascii: "c"): .wordRight
    case UInt8(ascii: "d"): .wordLeft
    default: arrow(final, isModified: false) ?? .other
    }
  }

  /// `ESC [ parameters final`.
  static func key(final: UInt8, parameters: ArraySlice<UInt8>) -> Key {
    let numbers = parameters.split(
      separator: UInt8(ascii: ";"), omittingEmptySubsequences: false
    ).map { Int(String(decoding: $0.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)) }
    let number = { (index: Int) in index < numbers.count ? numbers[index] : nil }
    // 1 and the sum of Shift 1, Alt 2, Ctrl 4, Super 8, …
    let modifiers = max(0, (number(1) ?? 1) - 1)
    switch final {
    case UInt8(ascii: "~"):
      if number(0) == 27, let code = number(2) { return spelled(code, modifiers) }
      return numbered(number(0) ?? 0, isModified: modifiers & 6 != 0)
    case UInt8(ascii: "u"): return spelled(number(0) ?? 0, modifiers)
    case UInt8(ascii: "R"):
      guard let row = number(0), let column = number(1) else { return .other }
      return .cursorReport(row: row, column: column)
    case UInt8(ascii: "Z"): return .backTab
    case UInt8(ascii: "c"): return .other
    default: return arrow(final, isModified: modifiers & 6 != 0) ?? .other
    }
  }

  private static func arrow(_ final: UInt8, isModified: Bool) -> Key? {
    switch final {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): isModified ? .wordRight : .right
    case UInt8(ascii: "D"): isModified ? .wordLeft : .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    default: nil
    }
  }

  private static func numbered(_ number: Int, isModified: Bool) -> Key {
    switch number {
    case 1, 7: .home
    case 3: isModified ? .wordDelete : .delete
    case 4, 8: .end
    case 5: .pageUp
    case 6: .pageDown
    default: .other
    }
  }

  // A key that is spelled as its character with modifiers.
  private static func spelled(_ code: Int, _ modifiers: Int) -> Key {
    let isAlt = modifiers & 2 != 0
    let isControl = modifiers & 4 != 0
    switch code {
    case 9: return modifiers & 1 != 0 ? .backTab : .tab
    case 13: return modifiers & 7 != 0 ? .altEnter : .enter
    case 27: return .escape
    case 8, 127: return isAlt || isControl ? .altBackspace : .backspace
    default: break
    }
    guard let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init),
      scalar.properties.generalCategory != .control,
      scalar.properties.generalCategory != .privateUse
    else { return .other }
    let character = Character(scalar)
    if isControl { return .control(small(character)) }
    if isAlt { return .alt(small(character)) }
    return .text(String(character))
  }

  /// The small letter of an ASCII letter; other characters as they are.
  static func small(_ character: Character) -> Character {
    character.isASCII ? Character(character.lowercased()) : character
  }
}
