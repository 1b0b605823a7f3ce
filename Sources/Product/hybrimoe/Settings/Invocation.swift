import ArgumentParser
import FoundationEssentials

/// What the user typed, made complete: the command's name and the settings from elsewhere.
struct Invocation {
  let arguments: [String]

  init(_ arguments: [String]) { self.arguments = arguments }

  /// The command, ready to run.
  ///
  /// - Throws: what the parser throws; `SettingFailure` where a setting from elsewhere is wrong.
  func parse(environment: [String: String]) throws -> any ParsableCommand {
    if isForRoot { return try Hybrimoe.parseAsRoot(arguments) }
    let (command, typed) = try command()
    let fromEnvironment = SettingsExpansion.settings(environment: environment)
    let fromFile = try ConfigurationFile.settings(environment: environment)
    guard !fromEnvironment.isEmpty || !fromFile.isEmpty else {
      return try Hybrimoe.parseAsRoot(command + typed)
    }
    let expansion = SettingsExpansion(table: try CommandTable.ofProgram.get())
    let additions = try expansion.additions(
      command: command.joined(separator: " "), typed: typed, environment: fromEnvironment,
      file: fromFile)
    return try parse(command, typed, additions)
  }

  /// Whether messages are to be JSON, also those about arguments that cannot be parsed.
  func logsJSON(environment: [String: String]) -> Bool {
    let name = "log-json"
    if arguments.prefix(while: { $0 != "--" }).contains("--" + name) { return true }
    let fromFile = (try? ConfigurationFile.settings(environment: environment)) ?? []
    let setting = (SettingsExpansion.settings(environment: environment) + fromFile)
      .first { CommandTable.folded($0.name) == name }
    return setting?.value.lowercased() == "true"
  }

  /// Parses with the settings; where that fails because of one of them, says which.
  private func parse(
    _ command: [String], _ typed: [String], _ additions: [SettingsExpansion.Addition]
  ) throws -> any ParsableCommand {
    func attempt(without skipped: Int?) throws -> any ParsableCommand {
      let added = additions.indices.filter { $0 != skipped }.flatMap { additions[$0].arguments }
      return try Hybrimoe.parseAsRoot(command + added + typed)
    }
    do {
      return try attempt(without: nil)
    } catch {
      guard Hybrimoe.exitCode(for: error) == .validationFailure else { throw error }
      for (index, addition) in additions.enumerated()
      where (try? attempt(without: index)) != nil {
        throw SettingFailure(
          description: "\(addition.source): \(Hybrimoe.message(for: error))")
      }
      throw error
    }
  }

  /// Whether the arguments are for the program as a whole, such as `--help`.
  private var isForRoot: Bool {
    guard let first = arguments.first else { return false }
    let names = ["-h", "--help", "--help-hidden", "--version", "help"]
    return names.contains(first) || first.hasPrefix("--generate-completion-script")
      || first == "--experimental-dump-help"
  }

  /// The command's name, `chat` where none was typed, and the arguments after it. The name of a
  /// command in a group has two words.
  private func command() throws -> (name: [String], typed: [String]) {
    guard let first = arguments.first, !first.hasPrefix("-") else { return (["chat"], arguments) }
    var group: any CommandGroup.Type = Hybrimoe.self
    var path: [String] = []
    var rest = arguments[...]
    while let word = rest.first, !word.hasPrefix("-") {
      guard let command = group.command(word) else {
        throw group.unknown(word, path: path)
      }
      path.append(word)
      rest.removeFirst()
      guard let inner = command as? any CommandGroup.Type else { break }
      group = inner
    }
    return (path, Array(rest))
  }
}

/// A command that has commands: the program itself, and those like `trace`.
protocol CommandGroup: ParsableCommand {
  /// Commands that later versions have, so that their names are not taken for mistakes.
  static var laterCommands: [String] { get }
}

extension CommandGroup {
  static var commandNames: [String] { configuration.subcommands.map { $0._commandName } }

  /// The command of a name; nil where there is none.
  static func command(_ name: String) -> (any ParsableCommand.Type)? {
    configuration.subcommands.first { $0._commandName == name }
  }

  /// The words by which a command is called, those of its groups first; nil where it is none.
  static func path(of command: any ParsableCommand.Type) -> [String]? {
    for candidate in configuration.subcommands {
      if candidate == command { return [candidate._commandName] }
      if let path = (candidate as? any CommandGroup.Type)?.path(of: command) {
        return [candidate._commandName] + path
      }
    }
    return nil
  }

  /// The error about a word that names no command of the group at `path`.
  fileprivate static func unknown(_ word: String, path: [String]) -> ValidationError {
    let name = (path + [word]).joined(separator: " ")
    let names = commandNames.joined(separator: ", ")
    if laterCommands.contains(word) {
      let group = path.isEmpty ? "it" : path.joined(separator: " ")
      return ValidationError(
        "The command '\(name)' is not in this version; \(group) has \(names).")
    }
    if path.isEmpty, FileManager.default.fileExists(atPath: word) {
      return ValidationError(
        "There is no command '\(word)', but a file; to use it as the model, put --model before it.")
    }
    let near = Spelling.nearest(to: word, in: commandNames).map { " Is '\($0)' meant?" } ?? ""
    let whose = path.isEmpty ? "The commands" : "The commands of \(path.joined(separator: " "))"
    return ValidationError("There is no command '\(name)'.\(near) \(whose) are \(names).")
  }
}
