import FoundationEssentials

/// All commands and options as Markdown, read off the parser's own description of them.
struct CommandReference {
  let markdown: String

  /// The reference of a root command.
  ///
  /// - Parameter description: the parser's description of the commands, as JSON.
  /// - Throws: `DecodingError` where the parser's form has changed.
  init(description: String) throws {
    let root = try JSONDecoder().decode(Dump.self, from: Data(description.utf8)).command
    var text = """
      # Commands

      Written by the program (`hybrimoe reference`), so that it cannot differ from it. Every option can also be set by a
      variable (`HYBRIMOE_TOP_K=20`) or by a line of the configuration file (`top-k = 20`); `hybrimoe config` shows what
      is set and where. Options that nearly all commands have stand at the end.

      """
    let commands = Self.leaves(below: root, path: [])
    text += "\n" + Self.contents(commands)
    let common = Self.common(commands.map(\.command))
    for (path, command) in commands {
      text += Self.section(path, command, without: common)
    }
    text += "\n## Options of nearly all commands\n\n"
    let looking = commands[0].command.shown.filter { common.contains($0.title) }
    markdown = text + Self.rows(looking)
  }

  private static func leaves(
    below group: Dump.Command, path: [String]
  ) -> [(path: [String], command: Dump.Command)] {
    (group.subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay }.flatMap {
      command in
      let path = path + [command.commandName]
      let below = leaves(below: command, path: path)
      return below.isEmpty ? [(path, command)] : below
    }
  }

  /// Options that every command has, except the few that have hardly any.
  private static func common(_ commands: [Dump.Command]) -> Set<String> {
    let lists = commands.map { Set($0.shown.map(\.title)) }.filter { $0.count > 1 }
    return lists.dropFirst().reduce(lists.first ?? []) { $0.intersection($1) }
  }

  private static func contents(_ commands: [(path: [String], command: Dump.Command)]) -> String {
    var text = "| command | does |\n| --- | --- |\n"
    for (path, command) in commands {
      let name = path.joined(separator: " ")
      let anchor = path.joined(separator: "-")
      text += "| [`\(name)`](#\(anchor)) | \(escaped(command.abstract ?? "")) |\n"
    }
    return text
  }

  private static func section(
    _ path: [String], _ command: Dump.Command, without common: Set<String>
  ) -> String {
    var text = "\n## " + path.joined(separator: " ") + "\n\n" + (command.abstract ?? "") + "\n"
    if let discussion = command.discussion, !discussion.isEmpty { text += "\n\(discussion)\n" }
    var title: String??
    var arguments: [Dump.Argument] = []
    func flush() {
      guard !arguments.isEmpty else { return }
      if let title = title ?? nil { text += "\n**\(title)**\n" }
      text += "\n" + rows(arguments)
      arguments = []
    }
    for argument in command.shown where !common.contains(argument.title) {
      if title != .some(argument.sectionTitle) {
        flush()
        title = .some(argument.sectionTitle)
      }
      arguments.append(argument)
    }
    flush()
    return text
  }

  private static func rows(_ arguments: [Dump.Argument]) -> String {
    var text = "| option | does |\n| --- | --- |\n"
    for argument in arguments {
      var words = argument.abstract ?? ""
      if let values = argument.allValues, !values.isEmpty {
        words += " One of " + values.joined(separator: ", ") + "."
      }
      if let value = argument.defaultValue, !value.isEmpty { words += " Default: \(value)." }
      text += "| `\(argument.title)` | \(escaped(words)) |\n"
    }
    return text
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("\n", with: " ")
  }
}

// What is used of the parser's description.
private struct Dump: Decodable {
  struct Command: Decodable {
    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool
    var subcommands: [Command]?
    var arguments: [Argument]?

    /// The arguments that help shows, without those on help itself.
    var shown: [Argument] {
      (arguments ?? []).filter { argument in
        let names = (argument.names ?? []).map(\.name)
        return argument.shouldDisplay && !names.contains("help") && !names.contains("version")
      }
    }
  }
  struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String
    }
    var kind: String
    var shouldDisplay: Bool
    var sectionTitle: String?
    var names: [Name]?
    var valueName: String?
    var abstract: String?
    var defaultValue: String?
    var allValues: [String]?

    /// How it is typed: `-m, --model <file>`.
    var title: String {
      let value = "<\(valueName ?? "value")>"
      guard kind != "positional" else { return value }
      let spelled = (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name }
      return spelled.joined(separator: ", ") + (kind == "option" ? " " + value : "")
    }
  }
  var command: Command
}
