import YAMLSubset

extension PlacementRule {
  /// The rules of a file in kTransformers' format, in their order.
  ///
  /// A file is a sequence of entries with `match` (`name`, a Python regular expression that is
  /// searched in the module's name; `class`; at least one of them, and both must match where both
  /// are given), `replace` (`class` and `kwargs`) and perhaps `recursive`.
  ///
  /// - Throws: `PlacementRuleError` with the line.
  public static func rules(text: String, file: String = "rules") throws -> [PlacementRule] {
    let document: YAMLNode
    do {
      document = try YAMLNode(parsing: text)
    } catch {
      throw PlacementRuleError.notYAML(file: file, error: error)
    }
    if document.scalar?.isNull == true { return [] }
    guard let entries = document.sequence else {
      throw PlacementRuleError.wrong(
        file: file, line: document.line,
        problem: "a file of rules is a sequence of entries that begin with '- match:'")
    }
    return try entries.map { try PlacementRule($0, file: file) }
  }

  private init(_ entry: YAMLNode, file: String) throws {
    func wrong(_ line: Int, _ problem: String) -> PlacementRuleError {
      .wrong(file: file, line: line, problem: problem)
    }
    func text(_ node: YAMLNode, _ what: String) throws -> String {
      guard let scalar = node.scalar, !scalar.isNull else {
        throw wrong(node.line, "\(what) must be a text")
      }
      return scalar.text
    }
    line = entry.line
    guard let match = entry["match"], match.mapping != nil else {
      throw wrong(entry.line, "the entry has no 'match' with a 'name' or a 'class'")
    }
    guard let replace = entry["replace"], replace.mapping != nil else {
      throw wrong(entry.line, "the entry has no 'replace' with a 'class' or 'kwargs'")
    }
    let pattern = try match["name"].map { ($0.line, try text($0, "'name'")) }
    do throws(NamePatternError) {
      name = try pattern.map { (_, text) throws(NamePatternError) in try NamePattern(text) }
    } catch {
      throw wrong(pattern?.0 ?? line, "the name's regular expression, \(error)")
    }
    matchClass = try match["class"].map { try text($0, "'class'") }
    guard name != nil || matchClass != nil else {
      throw wrong(match.line, "'match' has neither 'name' nor 'class'")
    }
    replaceClass = try replace["class"].map { try text($0, "'class'") }
    arguments = []
    if let node = replace["kwargs"], node.scalar?.isNull != true {
      guard let members = node.mapping else {
        throw wrong(node.line, "'kwargs' must be a mapping")
      }
      arguments = members
    }
    for member in arguments where Self.deviceKeys.contains(member.key.text) {
      guard let text = member.value.scalar?.text, Self.device(text) != nil else {
        let found = member.value.scalar.map { "'\($0.text)'" } ?? "no text"
        throw wrong(
          member.value.line, "\(member.key.text) is \(found), but must be cpu, cuda or cuda:N")
      }
    }
    isRecursive = true
    if let node = entry["recursive"] {
      guard let value = node.scalar?.bool else {
        throw wrong(node.line, "'recursive' must be True or False")
      }
      isRecursive = value
    }
    ignored = []
    note(entry, match, replace)
  }

  /// Arguments that say where a module is.
  private static let deviceKeys = ["generate_device", "prefill_device"]

  /// Lists what has no meaning here.
  private mutating func note(_ entry: YAMLNode, _ match: YAMLNode, _ replace: YAMLNode) {
    let known = ["match", "replace", "recursive"]
    for member in entry.mapping ?? [] where !known.contains(member.key.text) {
      ignored.append("'\(member.key.text)': unknown in an entry")
    }
    for member in match.mapping ?? [] where !["name", "class"].contains(member.key.text) {
      ignored.append("match '\(member.key.text)': unknown")
    }
    for member in replace.mapping ?? [] where !["class", "kwargs"].contains(member.key.text) {
      ignored.append("replace '\(member.key.text)': unknown")
    }
    if let replaceClass, replaceClass != "default" {
      ignored.append("class \(replaceClass): this program has its own operators")
    }
    for member in arguments { note(member) }
  }

  private mutating func note(_ member: YAMLMember) {
    let key = member.key.text
    guard Self.deviceKeys.contains(key) else {
      let reason =
        switch key {
        case "transfer_map": "there is one GPU"
        case "out_device": "results go where the next layer is"
        case "generate_op", "prefill_op", "backend": "this program has its own kernels"
        default: "unknown"
        }
      ignored.append("\(key): \(reason)")
      return
    }
    if let text = member.value.scalar?.text, let index = Self.gpuIndex(text), index > 0 {
      ignored.append("\(key) \(text): there is one GPU, so this is cuda:0")
    }
  }
}
