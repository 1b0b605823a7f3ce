/// Python's methods of strings.
enum StringMethods {
  static func call(
    _ name: String, of text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    try interpreter.budget.make(text.count)
    if name.hasPrefix("is") {
      _ = try arguments.bound(to: name)
      return .bool(try question(name, text))
    }
    switch name {
    case "format": return .string(try BraceFormat.apply(text, arguments, interpreter))
    case "format_map":
      guard let values = try arguments.bound(to: name, ["mapping"], required: 1)[0],
        case .dictionary(let dictionary) = values
      else { throw Failure("format_map needs a dict") }
      let keywords = zip(dictionary.keys, dictionary.values).compactMap { key, value in
        if case .string(let name) = key { (name: name.string, value: value) } else { nil }
      }
      return .string(try BraceFormat.apply(text, Arguments(keywords: keywords), interpreter))
    case "find", "rfind", "index", "rindex", "count":
      return .integer(Int128(try search(name, text, arguments)))
    case "startswith", "endswith": return .bool(try hasEnd(name, text, arguments))
    case "split", "rsplit":
      return try .list(try split(name, text, arguments).map { .string($0) })
    case "splitlines":
      let given = try arguments.bound(to: name, ["keepends"])
      return try .list(
        text.lines(keepingEnds: given[0]?.isTrue ?? false).map { .string($0) })
    case "partition", "rpartition": return try partition(name, text, arguments)
    case "join":
      let given = try arguments.bound(to: name, ["iterable"], required: 1, takesNames: false)
      return .string(try join(given[0] ?? .none, text, interpreter))
    case "encode", "maketrans", "translate":
      throw Failure("the method '\(name)' of strings is not available in a chat template")
    default: break
    }
    return .string(try changed(name, text, arguments, interpreter))
  }

  // MARK: Strings from strings

  private static func changed(
    _ name: String, _ text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    switch name {
    case "strip", "lstrip", "rstrip":
      let given = try arguments.bound(to: name, ["chars"], takesNames: false)
      return try strip(
        text, given[0].given, atStart: name != "rstrip", atEnd: name != "lstrip")
    case "replace":
      let given = try arguments.bound(
        to: name, ["old", "new", "count"], required: 2, takesNames: false)
      let count = try given[2]?.index("the count") ?? -1
      return try replaced(
        text, try (given[0] ?? .none).text("what replace looks for"),
        by: try (given[1] ?? .none).text("the replacement"), count, interpreter)
    case "removeprefix", "removesuffix":
      let given = try arguments.bound(to: name, ["part"], required: 1, takesNames: false)
      let part = try (given[0] ?? .none).text("what \(name) removes")
      if name == "removeprefix" {
        return text.has(part, at: 0) ? text[part.count..<text.count] : text
      }
      let rest = text.count - part.count
      return text.has(part, at: rest) ? text[0..<rest] : text
    case "center", "ljust", "rjust", "zfill":
      return try padded(name, text, arguments, interpreter)
    case "expandtabs":
      let given = try arguments.bound(to: name, ["tabsize"])
      let size = try given[0]?.index("the tab size") ?? 8
      return try expandedTabs(text, size, interpreter)
    default: break
    }
    _ = try arguments.bound(to: name)
    return switch name {
    case "upper": text.uppercased()
    case "lower": text.lowercased()
    case "casefold": text.casefolded()
    case "title": text.titled()
    case "capitalize": text.capitalized()
    default: text.caseSwapped()
    }
  }

  static func strip(
    _ text: Text, _ characters: Value?, atStart: Bool = true, atEnd: Bool = true
  ) throws -> Text {
    guard let characters else { return text.trimmed(atStart: atStart, atEnd: atEnd) }
    let set = Set(try characters.text("the characters to strip").points)
    return text.trimmed(set.contains, atStart: atStart, atEnd: atEnd)
  }

  static func replaced(
    _ text: Text, _ old: Text, by new: Text, _ count: Int, _ interpreter: Interpreter
  ) throws -> Text {
    let places = text.indices(of: old, atMost: count < 0 ? .max : count)
    let (added, overflow) = places.count.multipliedReportingOverflow(by: new.count)
    try interpreter.budget.make(overflow ? .max : text.count + added)
    var units: [UInt32] = []
    var start = 0
    for place in places {
      units += text.units[start..<place]
      units += new.units
      start = place + old.count
    }
    units += text.units[start...]
    return Text(units: units, isMarkup: text.isMarkup)
  }

  private static func padded(
    _ name: String, _ text: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    let given = try arguments.bound(
      to: name, name == "zfill" ? ["width"] : ["width", "fillchar"], required: 1, takesNames: false)
    let width = try (given[0] ?? .none).index("the width")
    let missing = max(0, width == .max ? width : width - text.count)
    try interpreter.budget.make(max(text.count, width))
    if name == "zfill" {
      let hasSign = text.units.first.map { $0.point == "-" || $0.point == "+" } ?? false
      let zeros = Text(String(repeating: "0", count: missing))
      return text[0..<(hasSign ? 1 : 0)] + zeros + text[(hasSign ? 1 : 0)..<text.count]
    }
    let fill = try given[1]?.text("the fill character") ?? Text(" ")
    guard fill.count == 1 else { throw Failure("the fill character must be one character") }
    // Python's way to halve what cannot be halved.
    let left = name == "center" ? missing / 2 + (missing & width & 1) : missing
    func padding(_ count: Int) -> Text {
      Text(units: Array(repeating: fill.units[0], count: count))
    }
    return switch name {
    case "ljust": text + padding(missing)
    case "rjust": padding(missing) + text
    default: padding(left) + text + padding(missing - left)
    }
  }

  private static func expandedTabs(
    _ text: Text, _ size: Int, _ interpreter: Interpreter
  ) throws -> Text {
    var units: [UInt32] = []
    var column = 0
    for unit in text.units {
      switch unit.point {
      case 0x09:
        let count = size > 0 ? size - column % size : 0
        try interpreter.budget.make(count)
        units += Array(repeating: 0x20, count: count)
        column += count
        try interpreter.budget.check(units.count)
      case 0x0A, 0x0D:
        units.append(unit)
        column = 0
      default:
        units.append(unit)
        column += 1
      }
    }
    return Text(units: units)
  }

  static func join(_ value: Value, _ separator: Text, _ interpreter: Interpreter) throws -> Text {
    let texts = try value.elements().map { try $0.text("what join joins") }
    return try joined(texts, separator, interpreter)
  }

  static func joined(
    _ texts: [Text], _ separator: Text, _ interpreter: Interpreter
  ) throws -> Text {
    let (separators, overflow) = separator.count.multipliedReportingOverflow(by: texts.count)
    try interpreter.budget.make(overflow ? .max : separators)
    try interpreter.budget.make(texts.reduce(0) { $0 + $1.count } + separators)
    return texts.joined(by: separator)
  }

  // MARK: Searching

  /// The part of a string that optional bounds leave, as Python cuts it; nil where it is impossible.
  private static func range(
    _ text: Text, _ start: Value?, _ stop: Value?
  ) throws -> Range<Int>? {
    func place(_ value: Value?, _ missing: Int) throws -> Int {
      guard let value = value.given else { return missing }
      let index = try value.index("a bound")
      return index < 0 ? max(0, text.count &+ index) : index
    }
    let lower = try place(start, 0)
    let upper = min(try place(stop, text.count), text.count)
    return lower <= upper ? lower..<upper : nil
  }

  private static func search(_ name: String, _ text: Text, _ arguments: Arguments) throws -> Int {
    let given = try arguments.bound(
      to: name, ["sub", "start", "end"], required: 1, takesNames: false)
    let part = try (given[0] ?? .none).text("what \(name) looks for")
    let range = try range(text, given[1], given[2])
    if name == "count" { return range.map { text[$0].indices(of: part).count } ?? 0 }
    let found = range.flatMap {
      name.hasPrefix("r") ? text.lastIndex(of: part, in: $0) : text.firstIndex(of: part, in: $0)
    }
    if found == nil, name.hasSuffix("index") { throw Failure("the string has no such part") }
    return found ?? -1
  }

  private static func hasEnd(_ name: String, _ text: Text, _ arguments: Arguments) throws -> Bool {
    let given = try arguments.bound(
      to: name, ["part", "start", "end"], required: 1, takesNames: false)
    var parts: [Value] = [given[0] ?? .none]
    if case .tuple(let items) = parts[0] { parts = items.elements }
    let texts = try parts.map { try $0.text("what \(name) compares with") }
    guard let range = try range(text, given[1], given[2]) else { return false }
    return texts.contains { part in
      guard part.count <= range.count else { return false }
      let place = name == "startswith" ? range.lowerBound : range.upperBound - part.count
      return text.has(part, at: place)
    }
  }

  // MARK: Cutting

  static func split(_ name: String, _ text: Text, _ arguments: Arguments) throws -> [Text] {
    let given = try arguments.bound(to: name, ["sep", "maxsplit"])
    let wanted = try given[1]?.index("maxsplit") ?? -1
    let limit = wanted < 0 ? Int.max : wanted
    let fromEnd = name == "rsplit"
    guard let separator = try given[0].given?.text("the separator") else {
      return fromEnd ? wordsFromEnd(text, limit) : words(text, limit)
    }
    guard !separator.isEmpty else { throw Failure("an empty string cannot part a string") }
    var parts: [Text] = []
    if fromEnd {
      var end = text.count
      while parts.count < limit, let place = text.lastIndex(of: separator, in: 0..<end) {
        parts.append(text[place + separator.count..<end])
        end = place
      }
      parts.append(text[0..<end])
      return parts.reversed()
    }
    var start = 0
    for place in text.indices(of: separator, atMost: limit) {
      parts.append(text[start..<place])
      start = place + separator.count
    }
    parts.append(text[start..<text.count])
    return parts
  }

  private static func words(_ text: Text, _ limit: Int) -> [Text] {
    var parts: [Text] = []
    var rest = text.units[...].drop { $0.point.isPythonSpace }
    while !rest.isEmpty {
      if parts.count == limit {
        parts.append(Text(units: rest))
        break
      }
      let word = rest.prefix { !$0.point.isPythonSpace }
      parts.append(Text(units: word))
      rest = rest[word.endIndex...].drop { $0.point.isPythonSpace }
    }
    return parts
  }

  private static func wordsFromEnd(_ text: Text, _ limit: Int) -> [Text] {
    let backwards = words(Text(units: Array(text.units.reversed())), limit)
    return backwards.map { Text(units: Array($0.units.reversed())) }.reversed()
  }

  private static func partition(
    _ name: String, _ text: Text, _ arguments: Arguments
  ) throws -> Value {
    let given = try arguments.bound(to: name, ["sep"], required: 1, takesNames: false)
    let separator = try (given[0] ?? .none).text("the separator")
    guard !separator.isEmpty else { throw Failure("an empty string cannot part a string") }
    let fromEnd = name == "rpartition"
    let place =
      fromEnd
      ? text.lastIndex(of: separator, in: 0..<text.count)
      : text.firstIndex(of: separator, in: 0..<text.count)
    let parts: [Text]
    if let place {
      parts = [text[0..<place], separator, text[place + separator.count..<text.count]]
    } else {
      parts = fromEnd ? [Text(), Text(), text] : [text, Text(), Text()]
    }
    return try .tuple(parts.map { .string($0) })
  }

  // MARK: Questions

  static func question(_ name: String, _ text: Text) throws -> Bool {
    let points = text.points
    func all(_ isSo: (UInt32) -> Bool) -> Bool { !points.isEmpty && points.allSatisfy(isSo) }
    switch name {
    case "isalnum": return all(\.isAlphanumeric)
    case "isalpha": return all(\.isAlphabetic)
    case "isascii": return points.allSatisfy { $0 < 0x80 }
    case "isdecimal": return all(\.isDecimal)
    case "isdigit": return all(\.isDigit)
    case "isnumeric": return all(\.isNumeric)
    case "isprintable": return points.allSatisfy(\.isPrintable)
    case "isspace": return all(\.isPythonSpace)
    case "islower":
      return points.contains(where: \.isLowercase)
        && !points.contains { $0.isUppercase || $0.isTitlecase }
    case "isupper":
      return points.contains(where: \.isUppercase)
        && !points.contains { $0.isLowercase || $0.isTitlecase }
    case "isidentifier":
      return all(\.isWord) && !(points.first.map { $0.isNumeric || $0.isDigit } ?? true)
    default: return isTitle(points)
    }
  }

  private static func isTitle(_ points: [UInt32]) -> Bool {
    var isInside = false
    var hasWord = false
    for point in points {
      if point.isUppercase || point.isTitlecase {
        if isInside { return false }
        (isInside, hasWord) = (true, true)
      } else if point.isLowercase {
        guard isInside else { return false }
        hasWord = true
      } else {
        isInside = false
      }
    }
    return hasWord
  }
}
