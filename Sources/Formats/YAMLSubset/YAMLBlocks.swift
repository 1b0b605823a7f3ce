// Mappings and sequences by indentation, and the document as a whole.
extension YAMLParser {
  mutating func document() throws(YAMLError) -> YAMLNode {
    if let index = scalars.firstIndex(where: Self.isForbidden) {
      while position < index { if !takeBreak() { position += 1 } }
      throw syntax(
        "the character U+\(String(scalars[index].value, radix: 16, uppercase: true)) "
          + "is not allowed")
    }
    try skipBlank()
    if current == "%", column == 0 { throw unsupported("a directive") }
    if isAtMarker, current == "-" {
      position += 3
      try endLine()
    }
    let root = try node(after: -1)
    try skipBlank()
    if isAtMarker, current == "." {
      position += 3
      try endLine()
      try skipBlank()
    }
    if isAtMarker { throw unsupported("a second document") }
    guard current == nil else { throw syntax("wrong indentation, or a value over several lines") }
    return root
  }

  /// Characters that YAML 1.1 has no place for, and its unusual line breaks.
  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: false
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0xFFFE, 0xFFFF: true
    default: false
    }
  }

  private mutating func enter() throws(YAMLError) {
    depth += 1
    guard depth <= Self.depthLimit else {
      throw syntax("more than \(Self.depthLimit) mappings and sequences inside one another")
    }
  }

  /// The value that stands on the lines below, further to the right than `indentation`.
  private mutating func node(
    after indentation: Int, allowsSequenceAt own: Int? = nil
  ) throws(YAMLError) -> YAMLNode {
    let start = line
    try skipBlank()
    if isAtEnd { return YAMLNode(.scalar(YAMLScalar("", isPlain: true)), line: start) }
    if isAtDash, column == own { return try sequence(at: column) }
    guard column > indentation else {
      return YAMLNode(.scalar(YAMLScalar("", isPlain: true)), line: start)
    }
    return try nodeHere()
  }

  var isAtDash: Bool { current == "-" && Self.isBlank(next) }

  /// The value that begins here, at the place that decides its indentation.
  private mutating func nodeHere() throws(YAMLError) -> YAMLNode {
    if isAtDash { return try sequence(at: column) }
    let start = (line: line, column: column)
    if current == "[" || current == "{" {
      let node = try flow()
      skipSpaces()
      if current == ":" { throw unsupported("a mapping or sequence as a key") }
      try endLine()
      return node
    }
    let scalar = try inlineScalar()
    skipSpaces()
    guard current == ":", Self.isBlank(next) else {
      try endLine()
      return YAMLNode(.scalar(scalar), line: start.line)
    }
    return try mapping(at: start.column, first: scalar)
  }

  private mutating func sequence(at indentation: Int) throws(YAMLError) -> YAMLNode {
    try enter()
    defer { depth -= 1 }
    let start = line
    var elements: [YAMLNode] = []
    while !isAtEnd, column == indentation, isAtDash {
      position += 1
      skipSpaces()
      let isAlone = current == nil || Self.isBreak(current) || current == "#"
      if current == "\t" { throw unsupported("a tab outside quotes") }
      if isAlone {
        elements.append(try node(after: indentation))
      } else {
        elements.append(try nodeHere())
      }
      try skipBlank()
    }
    return YAMLNode(.sequence(elements), line: start)
  }

  private mutating func mapping(
    at indentation: Int, first: YAMLScalar
  ) throws(YAMLError) -> YAMLNode {
    try enter()
    defer { depth -= 1 }
    let start = line
    var members: [YAMLMember] = []
    var key = first
    while true {
      try check(key, among: members)
      let keyLine = line
      position += 1
      members.append(YAMLMember(key: key, line: keyLine, value: try value(of: indentation)))
      try skipBlank()
      guard !isAtEnd, column == indentation, !isAtDash else { break }
      if current == "[" || current == "{" { throw unsupported("a mapping or sequence as a key") }
      key = try inlineScalar()
      skipSpaces()
      guard current == ":", Self.isBlank(next) else { throw syntax("a ':' is missing after a key") }
    }
    return YAMLNode(.mapping(members), line: start)
  }

  func check(_ key: YAMLScalar, among members: [YAMLMember]) throws(YAMLError) {
    if key.isPlain, key.text == "<<" { throw unsupported("a merge key") }
    if members.contains(where: { $0.key.text == key.text }) {
      throw syntax("the key '\(key.text)' stands here twice")
    }
  }

  /// The value after a key and its colon.
  private mutating func value(of indentation: Int) throws(YAMLError) -> YAMLNode {
    let start = line
    skipSpaces()
    if current == nil || Self.isBreak(current) || current == "#" {
      return try node(after: indentation, allowsSequenceAt: indentation)
    }
    if isAtDash { throw syntax("a sequence cannot begin on the line of its key") }
    if current == "[" || current == "{" {
      let node = try flow()
      try endLine()
      return node
    }
    let scalar = try inlineScalar()
    skipSpaces()
    if current == ":", Self.isBlank(next) { throw syntax("a second ':' on one line") }
    try endLine()
    return YAMLNode(.scalar(scalar), line: start)
  }
}
