/// Turns settings from the environment and the configuration file into arguments.
///
/// They are put in front of what the user typed (`--top-k 40`). An option that
/// the user typed, in any of its spellings, is left out, and so is every option that says the same
/// thing in another way; one that is set in the environment hides the file's likewise.
struct SettingsExpansion {
  static let prefix = "HYBRIMOE_"

  /// Options of which only one may be given: where one is typed, settings from elsewhere must not
  /// contradict it. By the first of their names.
  private static let alternatives: [Set<String>] = [
    modelNames, ["prompt", "file", "tokens"], ["json", "csv"], ["cache-size", "cache-ratio"],
  ]
  /// Options that leave no room for others: where one of them is typed, settings from elsewhere of
  /// the others are not for this call, and the other way round. By command.
  private static let exclusions: [String: [(Set<String>, Set<String>)]] = [
    "simulate": [
      (
        ["paper", "fit"],
        [
          "shape", "trace", "plans", "prompt-tokens", "cache-ratio", "cache-size", "scheduler",
          "eviction", "admission", "prefetch-size", "timeline-svg", "timeline-chrome",
        ]
      ),
      (["trace"], ["seed", "prompt-tokens", "decode-tokens"]),
    ],
    "bench": [(["compare"], ["scheduler"]), (["trace"], ["synthetic"])],
  ]

  /// Options that take a list in some commands and one value in the others, for which a list from
  /// elsewhere is not meant.
  private static let lists: [String: Set<String>] = [
    "prompt-tokens": ["bench"], "scheduler": ["simulate"],
    "eviction": ["trace stats"], "admission": ["trace stats"],
  ]

  private static let modelNames: Set<String> = ["model", "gguf-path", "model-path", "shape"]

  let table: CommandTable

  struct Addition: Equatable {
    /// The option's name and, where it takes one, its value.
    var arguments: [String]
    var source: String
  }

  /// The settings of the environment, in order of their names.
  static func settings(environment: [String: String]) -> [Setting] {
    environment.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map {
      Setting(name: String($0.key.dropFirst(prefix.count)), value: $0.value, source: $0.key)
    }
  }

  /// The arguments to add for a command.
  ///
  /// - Throws: `SettingFailure` where a setting's name belongs to no command, or a switch is set to
  ///   something other than true or false, or one option is set twice in one place.
  func additions(
    command: String, typed: [String], environment: [Setting], file: [Setting]
  ) throws -> [Addition] {
    try effective(command: command, typed: typed, environment: environment, file: file)
      .filter { $0.origin != .commandLine }.flatMap(arguments)
  }

  /// What one option of a command is set to.
  struct EffectiveSetting {
    var option: CommandTable.Option
    var values: [String]
    var origin: SettingOrigin
    /// Where each value stands.
    var sources: [String]
  }

  /// The options of a command that somebody set and that count, by origin, in their places' order.
  ///
  /// - Throws: `SettingFailure` as `additions`.
  func effective(
    command: String, typed: [String], environment: [Setting], file: [Setting]
  ) throws -> [EffectiveSetting] {
    let words = typedWords(command: command, typed)
    var given: [SettingOrigin: [String: [Setting]]] = [:]
    for word in words.options {
      given[.commandLine, default: [:]][word.option.names[0], default: []].append(
        Setting(name: word.option.names[0], value: word.value, source: "command line"))
    }
    given[.environment] = try settings(environment, of: command)
    given[.file] = try settings(file, of: command)
    let reader = SettingsReader(given.mapValues { $0.mapValues { $0.map(\.value) } })
    var found: [EffectiveSetting] = []
    for option in table.options[command] ?? [] {
      let name = option.names[0]
      guard let (values, origin) = reader.values(of: name) else { continue }
      found.append(
        EffectiveSetting(
          option: option, values: values, origin: origin,
          sources: (given[origin]?[name] ?? []).map(\.source)))
    }
    return try withoutHidden(found, command, hasPositional: words.hasPositional)
  }

  /// Leaves out what is hidden by an option from an origin that comes before.
  private func withoutHidden(
    _ found: [EffectiveSetting], _ command: String, hasPositional: Bool
  ) throws -> [EffectiveSetting] {
    var result: [EffectiveSetting] = []
    // The only argument without a name, that of `inspect`, is a model.
    var hidden = hasPositional ? Self.modelNames : []
    for origin in SettingOrigin.allCases {
      let here = found.filter { $0.origin == origin && !hidden.contains($0.option.names[0]) }
      result += here
      for setting in here {
        // A switch that is off says nothing about the others.
        if origin != .commandLine, try arguments(setting).isEmpty { continue }
        hidden.formUnion(Self.hidden(by: setting.option.names[0], command))
      }
    }
    return result
  }

  /// The settings of one place that are meant for a command, by option.
  private func settings(_ settings: [Setting], of command: String) throws -> [String: [Setting]] {
    var result: [String: [Setting]] = [:]
    for setting in settings {
      guard let option = table.option(setting.name, of: command) else {
        try checkKnown(setting)
        continue
      }
      let name = option.names[0]
      guard !Self.isForOthers(setting, name, command) else { continue }
      if let earlier = result[name]?.first, !option.isRepeating {
        throw SettingFailure(
          description: "\(setting.source): \(name) is set already by \(earlier.source).")
      }
      result[name, default: []].append(setting)
    }
    return result
  }

  /// The options that have no say where one is given: itself and those that it excludes.
  private static func hidden(by name: String, _ command: String) -> Set<String> {
    var result = alternatives.first { $0.contains(name) } ?? [name]
    for (left, right) in exclusions[command] ?? [] {
      if left.contains(name) { result.formUnion(right) }
      if right.contains(name) { result.formUnion(left) }
    }
    return result
  }

  private static func isForOthers(_ setting: Setting, _ name: String, _ command: String) -> Bool {
    guard let commands = lists[name], !commands.contains(command) else { return false }
    return setting.value.contains(",")
  }

  private func arguments(_ setting: EffectiveSetting) throws -> [Addition] {
    let name = "--" + setting.option.names[0]
    return try zip(setting.values, setting.sources).compactMap { value, source in
      if setting.option.takesValue { return Addition(arguments: [name, value], source: source) }
      switch value.lowercased() {
      case "true": return Addition(arguments: [name], source: source)
      case "false": return nil
      default:
        throw SettingFailure(description: "\(source) is '\(value)', but must be true or false.")
      }
    }
  }

  private func checkKnown(_ setting: Setting) throws {
    let folded = CommandTable.folded(setting.name)
    let known = table.allNames.map(CommandTable.folded)
    guard !known.contains(folded) else { return }
    let near = Spelling.nearest(to: folded, in: known).map { " Is '\($0)' meant?" } ?? ""
    throw SettingFailure(
      description: "\(setting.source): there is no option '\(folded)'.\(near)")
  }

  /// The value of a typed option: in the same word or, where it takes one, the next word.
  private func value(
    of option: CommandTable.Option, own: Substring?, rest: inout ArraySlice<String>
  ) -> String {
    if let own { return String(own) }
    if option.mayLackValue, rest.first?.hasPrefix("-") != false { return "" }
    return option.takesValue ? rest.popFirst() ?? "" : "true"
  }

  /// The options that appear among typed arguments with their values (`true` for a switch), and
  /// whether there are others.
  private func typedWords(
    command: String, _ typed: [String]
  ) -> (options: [(option: CommandTable.Option, value: String)], hasPositional: Bool) {
    var result: [(option: CommandTable.Option, value: String)] = []
    var hasPositional = false
    var rest = typed[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        hasPositional = hasPositional || !rest.isEmpty
        break
      }
      guard argument.hasPrefix("-"), argument != "-" else {
        hasPositional = true
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0].drop { $0 == "-" })
      if argument.hasPrefix("--") {
        guard let option = table.options[command]?.first(where: { $0.names.contains(name) })
        else { continue }
        let own = parts.count > 1 ? parts[1] : nil
        result.append((option, value(of: option, own: own, rest: &rest)))
      } else {
        // A short option has one letter; its value follows at once (-n5) or next (-n 5).
        let letter = String(argument.dropFirst().prefix(1))
        guard let option = table.options[command]?.first(where: { $0.shortNames.contains(letter) })
        else { continue }
        let own = argument.count > 2 ? argument.dropFirst(2) : nil
        result.append((option, value(of: option, own: own, rest: &rest)))
      }
    }
    return (result, hasPositional)
  }
}
