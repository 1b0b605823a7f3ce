import OrderedJSON
import Placement

/// A file of rules, read before any model is.
struct RuleFile {
  let path: String
  let rules: [PlacementRule]

  /// - Throws: `CommandFailure` where the file cannot be read, `PlacementRuleError` where it is wrong.
  init(path: String) throws {
    self.path = path
    rules = try PlacementRule.rules(text: InputFile.description(path), file: path)
  }
}

/// A file of rules and what it asks of a model.
struct RulesInFile {
  let path: String
  let outcome: RuleOutcome

  init(_ file: RuleFile, _ shape: ModelShape) {
    path = file.path
    outcome = RuleOutcome(file.rules, on: shape)
  }

  /// What to warn of: rules that were written for other models change nothing.
  var warning: String? {
    guard outcome.matchCounts.allSatisfy({ $0 == 0 }) else { return nil }
    return "No rule of \(path) matches a module of this model: everything goes as without the file."
  }

  var text: String {
    var lines = ["Rules of \(path): \(outcome.rules.count) read."]
    if !remarks.isEmpty {
      lines.append("What has no meaning here, or another one than written:")
      lines += remarks.map { "- \($0)" }
    }
    return lines.map { TerminalText.wrapped($0, indent: $0.hasPrefix("- ") ? 2 : 0) }.joined()
  }

  /// What has no meaning here, each said once with the lines of its rules.
  private var remarks: [String] {
    var lines: [String: [Int]] = [:]
    var order: [String] = []
    for rule in outcome.rules {
      for remark in rule.ignored {
        if lines[remark] == nil { order.append(remark) }
        lines[remark, default: []].append(rule.line)
      }
    }
    let ignored = order.map { remark in
      let all = lines[remark] ?? []
      let shown = all.prefix(8).map(String.init).joined(separator: ", ")
      let rest = all.count > 8 ? ", …" : ""
      return "\(remark) (\(all.count == 1 ? "rule of line" : "rules of lines") \(shown)\(rest))"
    }
    return ignored + outcome.notes
  }

  var json: JSONValue {
    let rules = zip(outcome.rules, outcome.matchCounts).map { rule, count in
      guard case .object(let members) = rule.json else { return rule.json }
      return .object(members + [("matches", .integer(count))])
    }
    let layers = outcome.wishes.indices.map { layer in
      let wish = outcome.wishes[layer]
      return JSONValue.object([
        ("layer", .integer(layer)), ("attention", .string(wish.attention.rawValue)),
        ("feedForward", .string(wish.feedForward.rawValue)),
        ("experts", .string(wish.experts.rawValue)),
        (
          "expertsFromLine",
          .optional(outcome.expertRules[layer].map { outcome.rules[$0].line })
        ),
      ])
    }
    let modules = outcome.choices.map { choice in
      JSONValue.object([
        ("name", .string(choice.module)),
        ("rule", .optional(choice.rule.map { outcome.rules[$0].line })),
      ])
    }
    return .object([
      ("file", .string(path)), ("rules", .array(rules)), ("layers", .array(layers)),
      ("modules", .array(modules)),
      ("remarks", .array(remarks.map(JSONValue.string))),
    ])
  }
}
