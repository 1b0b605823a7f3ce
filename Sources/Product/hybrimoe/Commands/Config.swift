import ArgumentParser
import OrderedJSON

/// Prints what options are set to outside of the command line, and where.
struct Config: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the settings that a command would use, and where each comes from.",
    discussion: """
      What is typed comes before variables such as HYBRIMOE_TOP_K=20, and these before the lines of \
      the configuration file, such as 'top-k = 20'. 'hybrimoe config run' shows what 'hybrimoe run' \
      would use; without a name, it is chat. A '-' stands where the program decides, by the model \
      and the machine.
      """)

  @Argument(help: .init("A command, as chat or 'trace stats'.", valueName: "command"))
  var command: [String] = ["chat"]

  @Flag(help: "List only what is set.")
  var changed = false

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let environment = Environment.all
    let table = try CommandTable.ofProgram.get()
    let name = command.joined(separator: " ")
    guard let options = table.options[name], !options.isEmpty else {
      let near = Spelling.nearest(to: name, in: table.commandNames)
      throw ValidationError(
        "There is no command '\(name)' with options." + (near.map { " Is '\($0)' meant?" } ?? ""))
    }
    let set = try SettingsExpansion(table: table).effective(
      command: name, typed: [], environment: SettingsExpansion.settings(environment: environment),
      file: ConfigurationFile.settings(environment: environment))
    let report = ConfigReport(
      command: name,
      settings: options.flatMap { option in
        ConfigReport.rows(option, set.first { $0.option == option })
      }.filter { !changed || $0.source != nil },
      places: Places(environment: environment))
    let text = looking.json ? report.json.text + "\n" : report.words
    try OutputStream.standardOutput.write(text)
  }
}

/// The settings of one command, and the files and folders of the program.
struct ConfigReport {
  struct Row: Equatable {
    var name: String
    /// nil where nobody has set it and the program decides.
    var value: String?
    /// Where it stands; nil for a value of the program's own.
    var source: String?
  }

  var command: String
  var settings: [Row]
  var places: Places

  static func rows(
    _ option: CommandTable.Option, _ setting: SettingsExpansion.EffectiveSetting?
  ) -> [Row] {
    let name = option.names[0]
    guard let setting else {
      let value = option.defaultValue ?? (option.takesValue ? nil : "false")
      return [Row(name: name, value: value, source: nil)]
    }
    return zip(setting.values, setting.sources).map { Row(name: name, value: $0, source: $1) }
  }

  var words: String {
    let nameWidth = settings.map(\.name.count).max() ?? 0
    let values = settings.map {
      TerminalText.safe($0.value ?? "-", width: 40)
    }
    let valueWidth = values.map(\.count).max() ?? 0
    var text = ""
    for (row, value) in zip(settings, values) {
      text += row.name + String(repeating: " ", count: nameWidth - row.name.count + 2) + value
      if let source = row.source {
        text += String(repeating: " ", count: valueWidth - value.count + 2)
        text += TerminalText.safe(source)
      }
      text += "\n"
    }
    if settings.isEmpty { text += "Nothing is set for \(command).\n" }
    text += "\n"
    for (title, path) in places.all {
      text += title + String(repeating: " ", count: 20 - title.count)
      text += (path.map { TerminalText.safe($0) } ?? "none: HOME is not set") + "\n"
    }
    return text
  }

  var json: JSONValue {
    func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
    return .object([
      ("command", .string(command)),
      (
        "settings",
        .array(
          settings.map { row in
            .object([
              ("name", .string(row.name)), ("value", text(row.value)),
              ("source", .string(row.source ?? "default")),
            ])
          })
      ),
      ("places", .object(places.all.map { ($0.title, text($0.path)) })),
    ])
  }
}
