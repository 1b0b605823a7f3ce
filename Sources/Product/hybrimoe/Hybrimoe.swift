import ArgumentParser

/// The program: the list of its commands and what `--help` and `--version` say.
struct Hybrimoe: CommandGroup {
  static let configuration = CommandConfiguration(
    commandName: "hybrimoe",
    abstract: "Runs large Mixture-of-Experts language models from GGUF files.",
    discussion: """
      Without a command it chats with the bundled model. Every option can also be set by a variable \
      such as HYBRIMOE_TOP_K=20 or by a line such as 'top-k = 20' in \
      $XDG_CONFIG_HOME/hybrimoe/config (by default ~/.config/hybrimoe/config); what is typed comes \
      before the variable, and the variable before the file.
      """,
    version: Version.number,
    subcommands: [
      Chat.self, Run.self, Pull.self, Inspect.self, Tokenize.self, Detokenize.self, Template.self,
      Logits.self,
      PerplexityCommand.self, Bench.self, Plan.self, Schedule.self, Simulate.self,
      Trace.self, Config.self, Cache.self, Doctor.self, Completions.self, Reference.self,
    ])

  static let laterCommands = [
    "serve"
  ]
}
