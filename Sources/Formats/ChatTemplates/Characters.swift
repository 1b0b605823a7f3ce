/// What Python says of code points, where templates can ask.
extension UInt32 {
  /// The code point of a unit, without the mark of where it came from.
  var point: UInt32 { self & ~Text.inputMark }

  /// The mark of a unit, to be given to what is made of it.
  var mark: UInt32 { self & Text.inputMark }

  /// `str.isspace`: also what `strip`, `split` and the `\s` of the lexer take for a space.
  var isPythonSpace: Bool {
    switch self {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  /// What `str.splitlines` takes for the end of a line.
  var isPythonLineEnd: Bool {
    switch self {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  var isASCIIDigit: Bool { (0x30...0x39).contains(self) }

  var properties: Unicode.Scalar.Properties? { Unicode.Scalar(self)?.properties }

  var isAlphabetic: Bool {
    switch properties?.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  /// `str.isdecimal`: digits that numbers are written with.
  var isDecimal: Bool { properties?.generalCategory == .decimalNumber }

  /// `str.isdigit`: superscripts too.
  var isDigit: Bool {
    guard let properties else { return false }
    return properties.numericType == .decimal || properties.numericType == .digit
  }

  var isNumeric: Bool { properties?.numericType != nil }

  var isAlphanumeric: Bool { isAlphabetic || isDecimal || isDigit || isNumeric }

  /// Part of a name (`\w`).
  var isWord: Bool { isAlphanumeric || self == 0x5F }

  var isLowercase: Bool { properties?.isLowercase ?? false }
  var isUppercase: Bool { properties?.isUppercase ?? false }
  var isTitlecase: Bool { properties?.generalCategory == .titlecaseLetter }

  /// Whether `repr` shows it as itself.
  var isPrintable: Bool {
    switch properties?.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, nil:
      false
    case .spaceSeparator: self == 0x20
    default: true
    }
  }
}

/// Changes of case as Python makes them, each unit keeping its mark.
extension Text {
  func uppercased() -> Text { mapped { $0.uppercaseMapping } }

  func casefolded() -> Text {
    // Full case folding is lower case but for the few letters that have no single lower form.
    mapped { properties in
      let upper = properties.uppercaseMapping
      return upper.unicodeScalars.count > 1
        ? upper.unicodeScalars.map(\.properties.lowercaseMapping).joined()
        : properties.lowercaseMapping
    }
  }

  func lowercased() -> Text {
    var result: [UInt32] = []
    result.reserveCapacity(count)
    for index in units.indices { appendLower(at: index, to: &result) }
    return Text(units: result, isMarkup: isMarkup)
  }

  /// `str.capitalize`: the first letter in title case, the others in lower case.
  func capitalized() -> Text {
    var result: [UInt32] = []
    for index in units.indices {
      index == 0 ? appendTitle(at: index, to: &result) : appendLower(at: index, to: &result)
    }
    return Text(units: result, isMarkup: isMarkup)
  }

  /// `str.title`: a word begins wherever a letter follows something that is none.
  func titled() -> Text {
    var result: [UInt32] = []
    var isInside = false
    for index in units.indices {
      isInside ? appendLower(at: index, to: &result) : appendTitle(at: index, to: &result)
      isInside = isCased(units[index].point)
    }
    return Text(units: result, isMarkup: isMarkup)
  }

  func caseSwapped() -> Text {
    var result: [UInt32] = []
    for index in units.indices {
      let unit = units[index]
      if unit.point.isUppercase {
        appendLower(at: index, to: &result)
      } else {
        let upper = unit.point.properties?.uppercaseMapping ?? ""
        result += upper.unicodeScalars.map { $0.value | unit.mark }
      }
    }
    return Text(units: result, isMarkup: isMarkup)
  }

  private func mapped(_ change: (Unicode.Scalar.Properties) -> String) -> Text {
    var result: [UInt32] = []
    result.reserveCapacity(count)
    for unit in units {
      let point = unit.point
      if point < 0x80, !(0x41...0x5A).contains(point), !(0x61...0x7A).contains(point) {
        result.append(unit)
      } else if let properties = point.properties {
        result += change(properties).unicodeScalars.map { $0.value | unit.mark }
      }
    }
    return Text(units: result, isMarkup: isMarkup)
  }

  private func appendTitle(at index: Int, to result: inout [UInt32]) {
    let unit = units[index]
    let title = unit.point.properties?.titlecaseMapping ?? ""
    result += title.unicodeScalars.map { $0.value | unit.mark }
  }

  private func appendLower(at index: Int, to result: inout [UInt32]) {
    let unit = units[index]
    // A capital sigma at the end of a word has a form of its own (Unicode, 3.13, Final_Sigma).
    if unit.point == 0x3A3, isFinalSigma(at: index) {
      result.append(0x3C2 | unit.mark)
      return
    }
    let lower = unit.point.properties?.lowercaseMapping ?? ""
    result += lower.unicodeScalars.map { $0.value | unit.mark }
  }

  private func isFinalSigma(at index: Int) -> Bool {
    let ignored = { (unit: UInt32) in unit.point.properties?.isCaseIgnorable ?? false }
    guard let before = units[..<index].last(where: { !ignored($0) }), isCased(before.point) else {
      return false
    }
    let after = units[(index + 1)...].first { !ignored($0) }
    return after.map { !isCased($0.point) } ?? true
  }

  private func isCased(_ point: UInt32) -> Bool { point.properties?.isCased ?? false }
}
