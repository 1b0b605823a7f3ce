/// Filters that give strings.
enum TextFilters {
  static func apply(
    _ name: String, to value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    switch name {
    case "indent": return try indented(value, arguments, interpreter)
    case "truncate": return try truncated(value, arguments)
    case "join": return try joined(value, arguments, interpreter)
    case "urlencode":
      _ = try arguments.bound(to: name)
      return try URLEncoding.encode(value)
    case "wordwrap", "striptags":
      throw Failure("the filter '\(name)' is not available in a chat template")
    default: break
    }
    let text = try value.printed()
    try interpreter.budget.make(text.count)
    switch name {
    case "replace":
      let given = try arguments.bound(to: name, ["old", "new", "count"], required: 2)
      let count = try given[2].given?.index("the count") ?? -1
      return try StringMethods.replaced(
        text, try (given[0] ?? .none).printed(), by: try (given[1] ?? .none).printed(), count,
        interpreter)
    case "trim":
      let given = try arguments.bound(to: name, ["chars"])
      return try StringMethods.strip(text, given[0].given)
    case "center":
      let width = try arguments.bound(to: name, ["width"])[0] ?? .integer(80)
      return try StringMethods.call(name, of: text, Arguments([width]), interpreter).printed()
    case "format":
      guard arguments.positional.isEmpty || arguments.keywords.isEmpty else {
        throw Failure("format takes values with names or without, not both")
      }
      let pairs = arguments.keywords.map { (Value.text($0.name), $0.value) }
      let values: Value =
        pairs.isEmpty
        ? try .tuple(arguments.positional) : .dictionary(try Dictionary(pairs))
      return try PercentFormat.apply(text, values, interpreter)
    default: break
    }
    _ = try arguments.bound(to: name)
    switch name {
    case "upper": return text.uppercased()
    case "lower": return text.lowercased()
    case "capitalize": return text.capitalized()
    case "title": return titled(text)
    case "e", "escape": return text.escaped()
    case "forceescape":
      var plain = text
      plain.isMarkup = false
      return plain.escaped()
    case "safe":
      var safe = text
      safe.isMarkup = true
      return safe
    default: return text
    }
  }

  static func words(_ text: Text) -> Int {
    var count = 0
    var isInside = false
    for unit in text.units {
      let isWord = unit.point.isWord
      if isWord, !isInside { count += 1 }
      isInside = isWord
    }
    return count
  }

  /// The filter's own idea of a title: words begin behind blanks, hyphens and opening brackets.
  private static func titled(_ text: Text) -> Text {
    let openings: Set<UInt32> = [0x2D, 0x28, 0x7B, 0x5B, 0x3C]
    var result = Text()
    var start = 0
    func isSeparator(_ index: Int) -> Bool {
      let point = text.units[index].point
      return point.isPythonSpace || openings.contains(point)
    }
    while start < text.count {
      var end = start + 1
      while end < text.count, isSeparator(end) == isSeparator(start) { end += 1 }
      result.units += text[start..<start + 1].uppercased().units
      result.units += text[start + 1..<end].lowercased().units
      start = end
    }
    return result
  }

  private static func indented(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    let given = try arguments.bound(to: "indent", ["width", "first", "blank"])
    let text = try value.text("what indent works on")
    let indentation: Text
    if case .string(let own)? = given[0] {
      indentation = own
    } else {
      let width = max(0, try given[0]?.index("the width") ?? 4)
      try interpreter.budget.check(width)
      indentation = Text(String(repeating: " ", count: width))
    }
    let keepsBlank = !(given[2]?.isTrue ?? false)
    let lines = (text + Text("\n")).lines()
    let (added, overflow) = lines.count.multipliedReportingOverflow(by: indentation.count)
    try interpreter.budget.make(overflow ? .max : added + text.count)
    var result: [Text] = []
    for (index, line) in lines.enumerated() {
      let isBare = index == 0 ? !(given[1]?.isTrue ?? false) : keepsBlank && line.isEmpty
      result.append(isBare ? line : indentation + line)
    }
    return result.joined(by: Text("\n"))
  }

  private static func truncated(_ value: Value, _ arguments: Arguments) throws -> Text {
    let given = try arguments.bound(to: "truncate", ["length", "killwords", "end", "leeway"])
    let length = try given[0]?.index("the length") ?? 255
    let end = try given[2]?.text("the end") ?? Text("...")
    let leeway = try given[3].given?.index("the leeway") ?? 5
    guard length >= end.count, leeway >= 0 else {
      throw Failure("the length of truncate must not be below that of its end")
    }
    // What is short enough stays, also a list.
    let count = try value.count() ?? .max
    if count <= length || count - length <= leeway { return try value.printed() }
    let text = try value.text("what truncate works on")
    let cut = text[0..<length - end.count]
    if given[1]?.isTrue ?? false { return cut + end }
    let blank = cut.lastIndex(of: Text(" "), in: 0..<cut.count)
    return (blank.map { cut[0..<$0] } ?? cut) + end
  }

  private static func joined(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    let given = try arguments.bound(to: "join", ["d", "attribute"])
    let separator = try given[0]?.printed() ?? Text()
    var elements = try SequenceFilters.counted(value, interpreter)
    if let attribute = given[1].given {
      let getter = try SequenceFilters.Getter(attribute)
      elements = try elements.map { try getter.value(of: $0, interpreter) }
    }
    return try StringMethods.joined(try elements.map { try $0.printed() }, separator, interpreter)
  }
}

extension Text {
  /// With the signs of HTML written as entities; what is markup already stays.
  func escaped() -> Text {
    guard !isMarkup else { return self }
    var result: [UInt32] = []
    for unit in units {
      let entity =
        switch unit.point {
        case 0x26: "&amp;"
        case 0x3C: "&lt;"
        case 0x3E: "&gt;"
        case 0x22: "&#34;"
        case 0x27: "&#39;"
        default: ""
        }
      if entity.isEmpty {
        result.append(unit)
      } else {
        result += entity.unicodeScalars.map { $0.value | unit.mark }
      }
    }
    return Text(units: result, isMarkup: true)
  }
}

/// The filter `urlencode`.
enum URLEncoding {
  static func encode(_ value: Value) throws -> Text {
    switch value {
    case .dictionary(let dictionary): try query(dictionary.elements(of: .items))
    case .list, .tuple, .view, .iterator, .range, .undefined: try query(value.elements())
    default: quoted(try value.printed(), keepsSlash: true)
    }
  }

  private static func query(_ pairs: [Value]) throws -> Text {
    try pairs.map { pair in
      let parts = try pair.elements()
      guard parts.count == 2 else { throw Failure("urlencode needs pairs of keys and values") }
      return quoted(try parts[0].printed(), keepsSlash: false) + Text("=")
        + quoted(try parts[1].printed(), keepsSlash: false)
    }.joined(by: Text("&"))
  }

  private static func quoted(_ text: Text, keepsSlash: Bool) -> Text {
    var units: [UInt32] = []
    for unit in text.units {
      let point = unit.point
      switch point {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: units.append(unit)
      case 0x2F where keepsSlash: units.append(unit)
      case 0x20 where !keepsSlash: units.append(0x2B | unit.mark)
      default:
        for byte in String(Unicode.Scalar(point) ?? " ").utf8 {
          let digits = Value.hexadecimal(UInt32(byte), 2).uppercased()
          units += ("%" + digits).unicodeScalars.map { $0.value | unit.mark }
        }
      }
    }
    return Text(units: units)
  }
}
