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
    let words = typedWords(command: command, typed)
    var taken = Set(words.options.map { $0.names[0] }.flatMap { Self.hidden(by: $0, command) })
    // The only argument without a name, that of `inspect`, is a model.
    if words.hasPositional { taken.formUnion(Self.modelNames) }
    var result: [Addition] = []
    for settings in [environment, file] {
      var here: [String: String] = [:]
      var hidden: Set<String> = []
      for setting in settings {
        guard let option = table.option(setting.name, of: command) else {
          try checkKnown(setting)
          continue
        }
        guard !taken.contains(option.names[0]),
          !Self.isForOthers(setting, option.names[0], command)
        else { continue }
        if let earlier = here[option.names[0]], !option.isRepeating {
          throw SettingFailure(
            description: "\(setting.source): \(option.names[0]) is set already by \(earlier).")
        }
        here[option.names[0]] = setting.source
        let arguments = try arguments(option, setting)
        if arguments.isEmpty {
          // A switch that is off says nothing about the others.
          hidden.insert(option.names[0])
        } else {
          hidden.formUnion(Self.hidden(by: option.names[0], command))
          result.append(Addition(arguments: arguments, source: setting.source))
        }
      }
      taken.formUnion(hidden)
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

  private func arguments(_ option: CommandTable.Option, _ setting: Setting) throws -> [String] {
    let name = "--" + option.names[0]
    if option.takesValue { return [name, setting.value] }
    switch setting.value.lowercased() {
    case "true": return [name]
    case "false": return []
    default:
      throw SettingFailure(
        description: "\(setting.source) is '\(setting.value)', but must be true or false.")
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

  /// The options that appear among typed arguments, and whether there are others.
  private func typedWords(
    command: String, _ typed: [String]
  ) -> (options: [CommandTable.Option], hasPositional: Bool) {
    var result: [CommandTable.Option] = []
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
        result.append(option)
        if option.takesValue, parts.count == 1 { _ = rest.popFirst() }
      } else {
        // A short option has one letter; its value follows at once (-n5) or next (-n 5).
        let letter = String(argument.dropFirst().prefix(1))
        guard let option = table.options[command]?.first(where: { $0.shortNames.contains(letter) })
        else { continue }
        result.append(option)
        if option.takesValue, argument.count == 2 { _ = rest.popFirst() }
      }
    }
    return (result, hasPositional)
  }
}
