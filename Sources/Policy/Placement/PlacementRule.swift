import OrderedJSON
import YAMLSubset

/// One entry of a file of rules, as it was read.
public struct PlacementRule: Equatable, Sendable {
  /// The line where it begins, from 1.
  public var line: Int
  public var name: NamePattern?
  /// The path of a Python class, such as `torch.nn.Linear`.
  public var matchClass: String?
  /// The operator's class; nil where the file gives none.
  public var replaceClass: String?
  /// Arguments of the operator in the file's order.
  public var arguments: [YAMLMember]
  /// Whether rules also apply to what the module holds.
  public var isRecursive: Bool
  /// What the file says and what has no meaning for this program.
  public var ignored: [String]

  /// The name of the class without its package.
  var className: String? {
    matchClass.flatMap { $0.split(separator: ".").last.map(String.init) }
  }

  /// Where an argument such as `generate_device` puts a module; nil where it does not say so.
  func device(_ key: String) -> PlacementDevice? {
    guard let text = arguments.first(where: { $0.key.text == key })?.value.scalar?.text else {
      return nil
    }
    return Self.device(text)
  }

  static func device(_ text: String) -> PlacementDevice? {
    if text == "cpu" { return .cpu }
    if text == "cuda" || Self.gpuIndex(text) != nil { return .gpu }
    return nil
  }

  static func gpuIndex(_ text: String) -> Int? {
    text.hasPrefix("cuda:") ? Int(text.dropFirst("cuda:".count)) : nil
  }

  public var json: JSONValue {
    .object([
      ("line", .integer(line)), ("name", .optional(name?.text)), ("class", .optional(matchClass)),
      ("replace", .optional(replaceClass)),
      ("arguments", YAMLNode(.mapping(arguments), line: line).json),
      ("recursive", .bool(isRecursive)),
      ("ignored", .array(ignored.map(JSONValue.string))),
    ])
  }
}

extension YAMLNode {
  /// The same document in JSON: scalars as texts, as they were read.
  var json: JSONValue {
    switch value {
    case .scalar(let scalar): .string(scalar.text)
    case .sequence(let elements): .array(elements.map(\.json))
    case .mapping(let members): .object(members.map { ($0.key.text, $0.value.json) })
    }
  }
}

/// Why a file of rules cannot be used.
public enum PlacementRuleError: Error, Equatable, CustomStringConvertible {
  case notYAML(file: String, error: YAMLError)
  case wrong(file: String, line: Int, problem: String)

  public var description: String {
    switch self {
    case .notYAML(let file, let error): "\(file), \(error)."
    case .wrong(let file, let line, let problem): "\(file), line \(line): \(problem)."
    }
  }
}
