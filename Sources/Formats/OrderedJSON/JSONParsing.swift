extension JSONValue {
  /// The document that a text holds, keys in their order.
  ///
  /// Whole numbers become `.integer`, beyond its range `.unsigned`; all others, also whole ones that
  /// fit neither and `-0`, become the nearest `.double`.
  /// A key that stands twice in one object is refused: whichever value were taken, the other would
  /// be lost without a word.
  ///
  /// - Throws: `JSONError.syntax` with the place of the first error.
  public init(parsing text: some StringProtocol) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }

  /// The document that some bytes hold, which must be UTF-8.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var scanner = JSONScanner(bytes)
    self = try scanner.value()
    try scanner.finish()
  }
}

extension JSONScanner {
  /// Reads any value; see `JSONValue(parsing:)` for what becomes of numbers and double keys.
  public mutating func value() throws(JSONError) -> JSONValue {
    switch peek() {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try beginArray()
      while try nextElement() { elements.append(try value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try bool())
    case UInt8(ascii: "n"):
      _ = try null()
      return .null
    default: return try number()
    }
  }

  private mutating func members() throws(JSONError) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = []
    var keys: Set<String> = []
    try beginObject()
    while let key = try nextKey() {
      // Few keys are compared one by one; a large object gets a set, so that none is slow.
      if members.count == 16 { keys = Set(members.map(\.0)) }
      let isDouble =
        members.count < 16 ? members.contains { $0.0 == key } : !keys.insert(key).inserted
      if isDouble { throw failure("the key \(JSONValue.string(key).text) stands here twice") }
      members.append((key, try value()))
    }
    return members
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let number = try decimal("expected a value")
    if number.isWhole, !(number.isNegative && number.mantissa == 0) {
      if let integer = number.integer { return .integer(integer) }
      // Up to 20 digits fit into 64 bits without a sign.
      let text = String(decoding: bytes[number.start..<position], as: UTF8.self)
      if let unsigned = UInt64(text) { return .unsigned(unsigned) }
    }
    return .double(try double(number))
  }
}
