import ArgumentParser
import FoundationEssentials

/// The commands and their options, read off the declarations themselves, so that every option can
/// also come from the environment and the configuration file.
struct CommandTable {
  struct Option: Equatable {
    /// Long names without dashes, the usual spelling first.
    var names: [String]
    var shortNames: [String]
    var takesValue: Bool
    /// Whether it may stand without its value, as `--resume` does.
    var mayLackValue = false
    var isRepeating: Bool
    /// What it is where nobody sets it, in words; nil where the parser knows none.
    var defaultValue: String?
  }

  /// The table of this program; reading the parser's description takes some milliseconds.
  static let ofProgram = Result { try CommandTable(Hybrimoe.self) }

  /// By a command's name; the name of one in a group stands behind the group's (`trace synth`).
  let options: [String: [Option]]

  /// The table of a root command.
  init(_ root: any ParsableCommand.Type) throws {
    let dump = try JSONDecoder().decode(Dump.self, from: Data(root._dumpHelp().utf8))
    options = Dictionary(uniqueKeysWithValues: Self.options(below: dump.command, path: []))
  }

  private static func options(
    below group: Dump.Command, path: [String]
  ) -> [(String, [Option])] {
    (group.subcommands ?? []).filter { $0.commandName != "help" }.flatMap { command in
      let path = path + [command.commandName]
      let options = (command.arguments ?? []).compactMap(Option.init)
      return [(path.joined(separator: " "), options)] + Self.options(below: command, path: path)
    }
  }

  var commandNames: [String] { options.keys.sorted() }

  /// Every long name of every command's options.
  var allNames: Set<String> { Set(options.values.joined().flatMap(\.names)) }

  /// The option of a command (`trace synth` for one in a group) with a name in any spelling (dashes or underscores, any case).
  func option(_ name: String, of command: String) -> Option? {
    options[command]?.first { $0.names.contains { Self.folded($0) == Self.folded(name) } }
  }

  /// The environment's name of an option: `HYBRIMOE_TOP_K`.
  static func variable(_ name: String) -> String {
    SettingsExpansion.prefix + name.uppercased().replacing("-", with: "_")
  }

  static func folded(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" ? "-" : $0 })
  }
}

// What is used of the parser's own description of the commands.
private struct Dump: Decodable {
  struct Command: Decodable {
    var commandName: String
    var subcommands: [Command]?
    var arguments: [Argument]?
  }
  struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String
    }
    var kind: String
    var isRepeating: Bool
    var parsingStrategy: String?
    var names: [Name]?
    var defaultValue: String?
  }
  var command: Command
}

extension CommandTable.Option {
  fileprivate init?(_ argument: Dump.Argument) {
    let names = argument.names ?? []
    let long = names.filter { $0.kind == "long" }.map(\.name)
    guard argument.kind != "positional", !long.isEmpty, long != ["help"], long != ["version"]
    else { return nil }
    let mayLackValue = argument.parsingStrategy == "scanningForValue"
    self.init(
      names: long, shortNames: names.filter { $0.kind == "short" }.map(\.name),
      takesValue: argument.kind == "option", mayLackValue: mayLackValue,
      isRepeating: argument.isRepeating,
      // What the parser calls the default of such an option is what it means without a value.
      defaultValue: mayLackValue ? nil : argument.defaultValue)
  }
}
