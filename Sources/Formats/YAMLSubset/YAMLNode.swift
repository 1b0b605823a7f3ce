/// A YAML document of the kind that people write as configuration: mappings, sequences and scalars.
///
/// A value keeps the line where it begins, so that whoever reads it can say where something is wrong.
/// Scalars are texts; whether `no` is a word or false is for the reader to decide, who knows what he
/// expects (`YAMLScalar.bool`).
public struct YAMLNode: Equatable, Sendable {
  public indirect enum Value: Equatable, Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    case mapping([YAMLMember])
  }

  public var value: Value
  /// Counted from 1.
  public var line: Int

  public init(_ value: Value, line: Int) {
    self.value = value
    self.line = line
  }

  public var scalar: YAMLScalar? {
    if case .scalar(let scalar) = value { scalar } else { nil }
  }

  public var sequence: [YAMLNode]? {
    if case .sequence(let elements) = value { elements } else { nil }
  }

  public var mapping: [YAMLMember]? {
    if case .mapping(let members) = value { members } else { nil }
  }

  /// The value of a mapping's key; nil where the key is missing or this is no mapping.
  public subscript(_ key: String) -> YAMLNode? {
    mapping?.first { $0.key.text == key }?.value
  }
}

/// A key with its value.
public struct YAMLMember: Equatable, Sendable {
  public var key: YAMLScalar
  /// Where the key stands.
  public var line: Int
  public var value: YAMLNode

  public init(key: YAMLScalar, line: Int, value: YAMLNode) {
    self.key = key
    self.line = line
    self.value = value
  }
}

/// A text; an absent value is a plain scalar of no characters.
public struct YAMLScalar: Equatable, Sendable {
  public var text: String
  /// Written without quotes, so that it may mean a number, a truth value or nothing.
  public var isPlain: Bool

  public init(_ text: String, isPlain: Bool) {
    self.text = text
    self.isPlain = isPlain
  }

  /// The truth value that a plain scalar means in YAML 1.1, which PyYAML reads.
  public var bool: Bool? {
    guard isPlain else { return nil }
    let forms = [
      "yes": true, "true": true, "on": true, "no": false, "false": false, "off": false,
    ]
    guard let value = forms[text.lowercased()] else { return nil }
    // Only all small, all capital, or one capital first: `tRUE` is a word.
    let rest = text.dropFirst()
    let isOneStyle =
      text == text.lowercased() || text == text.uppercased() || rest == rest.lowercased()
    return isOneStyle ? value : nil
  }

  /// Whether a plain scalar means nothing at all.
  public var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }
}

/// Why a text cannot be read; the message ends with the place.
public enum YAMLError: Error, Equatable, CustomStringConvertible {
  /// No YAML at all, in any reader.
  case syntax(line: Int, column: Int, problem: String)
  /// YAML that this reader leaves out on purpose.
  case unsupported(line: Int, column: Int, what: String)

  public var line: Int {
    switch self {
    case .syntax(let line, _, _), .unsupported(let line, _, _): line
    }
  }

  public var description: String {
    switch self {
    case .syntax(let line, let column, let problem):
      "line \(line), column \(column): \(problem)"
    case .unsupported(let line, let column, let what):
      "line \(line), column \(column): \(what) cannot be read here; write it in plain mappings, "
        + "sequences and scalars on one line"
    }
  }
}
