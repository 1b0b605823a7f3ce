// Collections in brackets and braces, as in JSON; they may go over several lines.
extension YAMLParser {
  /// The collection that begins here.
  mutating func flow() throws(YAMLError) -> YAMLNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw syntax("more than \(Self.depthLimit) mappings and sequences inside one another")
    }
    let start = line
    let isMapping = current == "{"
    position += 1
    var elements: [YAMLNode] = []
    var members: [YAMLMember] = []
    let close: Unicode.Scalar = isMapping ? "}" : "]"
    try skipFlowBlank()
    while current != close {
      if isMapping {
        members.append(try flowMember(members))
      } else {
        elements.append(try flowElement())
      }
      try skipFlowBlank()
      if current == "," {
        position += 1
        try skipFlowBlank()
      } else if current != close {
        throw syntax("a ',' or '\(close)' is expected here")
      }
    }
    position += 1
    return YAMLNode(isMapping ? .mapping(members) : .sequence(elements), line: start)
  }

  private mutating func skipFlowBlank() throws(YAMLError) {
    try skipBlank()
    guard current != nil else { throw syntax("a '[' or '{' is not closed") }
    // PyYAML sees the end of the document there.
    let marker = column == 0 && position + 2 < scalars.count ? scalars[position...position + 2] : []
    if !marker.isEmpty, marker.allSatisfy({ $0 == "-" }) || marker.allSatisfy({ $0 == "." }) {
      throw syntax("a '[' or '{' is not closed")
    }
  }

  private mutating func flowScalar() throws(YAMLError) -> YAMLScalar {
    if current == "\"" { return YAMLScalar(try doubleQuoted(), isPlain: false) }
    if current == "'" { return YAMLScalar(try singleQuoted(), isPlain: false) }
    return YAMLScalar(try plain(inFlow: true), isPlain: true)
  }

  private mutating func flowElement() throws(YAMLError) -> YAMLNode {
    if current == "[" || current == "{" {
      let node = try flow()
      try skipFlowBlank()
      if current == ":" { throw unsupported("a mapping or sequence as a key") }
      return node
    }
    let start = line
    let scalar = try flowScalar()
    try skipAfterScalar(from: start)
    if current == ":" { throw unsupported("a pair in a sequence without braces") }
    return YAMLNode(.scalar(scalar), line: start)
  }

  private mutating func flowMember(_ members: [YAMLMember]) throws(YAMLError) -> YAMLMember {
    if current == "[" || current == "{" { throw unsupported("a mapping or sequence as a key") }
    let start = line
    let isQuoted = current == "\"" || current == "'"
    let key = try flowScalar()
    try skipAfterScalar(from: start)
    try check(key, among: members)
    guard current == ":" else {
      // As in PyYAML, a key alone has no value.
      return YAMLMember(
        key: key, line: start, value: YAMLNode(.scalar(YAMLScalar("", isPlain: true)), line: start))
    }
    guard line == start else { throw unsupported("a key over several lines") }
    guard isQuoted || Self.isBlank(next) || Self.isFlowMark(next) else {
      throw syntax("a blank is expected after ':'")
    }
    position += 1
    try skipFlowBlank()
    if current == "," || current == "}" {
      return YAMLMember(
        key: key, line: start, value: YAMLNode(.scalar(YAMLScalar("", isPlain: true)), line: start))
    }
    if current == "[" || current == "{" {
      return YAMLMember(key: key, line: start, value: try flow())
    }
    let valueLine = line
    let scalar = try flowScalar()
    try skipAfterScalar(from: valueLine)
    if current == ":" { throw syntax("a second ':' in one member") }
    return YAMLMember(
      key: key, line: start, value: YAMLNode(.scalar(scalar), line: valueLine))
  }

  /// A plain scalar in a flow collection goes on after a line's end; here it must be over.
  private mutating func skipAfterScalar(from start: Int) throws(YAMLError) {
    try skipFlowBlank()
    guard line == start || Self.isFlowMark(current) || current == ":" else {
      throw unsupported("a value over several lines")
    }
  }
}
