import ArgumentParser

/// Prints all commands and options as Markdown, for `Docs/COMMANDS.md`.
struct Reference: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print all commands and options as Markdown.", shouldDisplay: false)

  func run() throws {
    let reference = try CommandReference(description: Hybrimoe._dumpHelp())
    try OutputStream.standardOutput.write(reference.markdown)
  }
}

/// Prints what makes a shell complete commands, options and file names.
struct Completions: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a script that lets the shell complete what is typed.",
    discussion: """
      bash: hybrimoe completions bash > ~/.local/share/bash-completion/completions/hybrimoe
      zsh: hybrimoe completions zsh > a folder of $fpath, as _hybrimoe
      fish: hybrimoe completions fish > ~/.config/fish/completions/hybrimoe.fish
      """)

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  /// The shells that the parser writes scripts for.
  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash, zsh, fish

    var completionShell: CompletionShell {
      switch self {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    }
  }

  func run() throws {
    let script = Hybrimoe.completionScript(for: shell.completionShell)
    try OutputStream.standardOutput.write(script.hasSuffix("\n") ? script : script + "\n")
  }
}
