import Testing

@testable import hybrimoe

@Suite struct `Settings` {
  private func parse(_ text: String) throws -> [Setting] {
    try ConfigurationFile.parse(text, path: "conf")
  }

  @Test func `a file gives names, values and lines`() throws {
    let text = "# comment\n\ntop-k = 20\r\n  seed=7\nsystem = \" a \\\"b\\\"\\n \"\nstop = a = b\n"
    #expect(
      try parse(text) == [
        Setting(name: "top-k", value: "20", source: "conf, line 3"),
        Setting(name: "seed", value: "7", source: "conf, line 4"),
        Setting(name: "system", value: " a \"b\"\n ", source: "conf, line 5"),
        Setting(name: "stop", value: "a = b", source: "conf, line 6"),
      ])
  }

  @Test(arguments: [
    ("temperature 3", "conf, line 1: 'temperature 3' is not of the form 'name = value'."),
    ("\n= 3", "conf, line 2: there is no name before the '='."),
    ("a = \"b", "conf, line 1: the closing quote is missing."),
    ("a = \"b\" c", "conf, line 1: there is text after the closing quote."),
    ("a = \"\\q\"", "conf, line 1: '\\q' has no meaning."),
  ])
  func `a line that cannot be read is an error with its place`(text: String, message: String) {
    #expect(throws: SettingFailure(description: message)) { try parse(text) }
  }

  @Test func `the file's path follows the base directory rules`() {
    func path(_ environment: [String: String]) -> String? {
      ConfigurationFile.path(environment: environment)
    }
    #expect(path(["XDG_CONFIG_HOME": "/x", "HOME": "/h"]) == "/x/hybrimoe/config")
    #expect(path(["XDG_CONFIG_HOME": "x", "HOME": "/h"]) == "/h/.config/hybrimoe/config")
    #expect(path(["HOME": "/h"]) == "/h/.config/hybrimoe/config")
    #expect(path([:]) == nil)
  }

  @Test func `what is typed comes before the environment, and that before the file`() throws {
    let expansion = SettingsExpansion(table: try CommandTable.ofProgram.get())
    let additions = try expansion.additions(
      command: "run", typed: ["--top_p", "0.5", "-t2", "--seed=3", "-n", "5", "-p", "--min-p"],
      environment: [
        Setting(name: "SEED", value: "4", source: "HYBRIMOE_SEED"),
        Setting(name: "TOP_K", value: "5", source: "HYBRIMOE_TOP_K"),
        Setting(name: "CPU_INFER", value: "5", source: "HYBRIMOE_CPU_INFER"),
        Setting(name: "MIN_P", value: "0.1", source: "HYBRIMOE_MIN_P"),
      ],
      file: [
        Setting(name: "top-k", value: "6", source: "conf, line 1"),
        Setting(name: "temperature", value: "1", source: "conf, line 2"),
        Setting(name: "max-tokens", value: "1", source: "conf, line 2"),
        Setting(name: "json", value: "true", source: "conf, line 3"),
        Setting(name: "stats", value: "false", source: "conf, line 4"),
        Setting(name: "stop", value: "a", source: "conf, line 5"),
        Setting(name: "stop", value: "-b", source: "conf, line 6"),
        Setting(name: "add-special", value: "true", source: "conf, line 7"),
      ])
    #expect(
      additions.map(\.arguments) == [
        ["--top-k", "5"], ["--min-p", "0.1"], ["--stop", "a"], ["--stop", "-b"],
        ["--temperature", "1"], ["--json"],
      ])
  }

  /// Which of two settings of options that exclude each other become arguments.
  static let exclusions: [(String, typed: [String], environment: [String], file: [String])] = [
    ("inspect", ["b.gguf"], ["model"], ["gguf-path"]),
    ("inspect", ["--", "b.gguf"], ["model-path"], ["model"]),
    ("run", ["--gguf_path", "b"], ["model"], ["model-path"]),
    ("run", ["-mb"], ["gguf-path"], ["gguf-path"]),
    ("run", ["-p", "b"], ["file"], ["file"]),
    ("run", ["-fb"], ["prompt"], ["prompt"]),
    ("logits", ["--tokens=1"], ["prompt"], ["file"]),
    ("logits", ["-p", "b"], ["tokens"], ["tokens"]),
    ("bench", ["--csv"], ["json"], ["json"]),
    ("bench", ["--json"], ["csv"], ["csv"]),
    ("simulate", ["--paper"], ["shape"], ["shape"]),
    ("simulate", ["--paper"], ["cache-ratio"], ["cache-size"]),
    ("simulate", ["--shape", "x"], ["paper"], ["paper"]),
    ("simulate", ["--trace", "f"], ["seed"], ["trace"]),
    ("simulate", ["--prompt-tokens", "4"], ["trace"], ["trace"]),
  ]

  @Test(arguments: exclusions)
  func `what is typed hides settings that it excludes`(
    command: String, typed: [String], environment: [String], file: [String]
  ) throws {
    func settings(_ names: [String], _ source: String) -> [Setting] {
      names.map { Setting(name: $0, value: "true", source: source) }
    }
    let expansion = SettingsExpansion(table: try CommandTable.ofProgram.get())
    #expect(
      try expansion.additions(
        command: command, typed: typed, environment: settings(environment, "E"),
        file: settings(file, "F")
      ).isEmpty)
    // Without it they count, and the environment hides the file.
    #expect(
      try expansion.additions(
        command: command, typed: [], environment: settings(environment, "E"),
        file: settings(file, "F")
      ).map(\.source) == ["E"])
  }

  @Test func `a list that another command takes is not meant for one that takes one value`() throws
  {
    let expansion = SettingsExpansion(table: try CommandTable.ofProgram.get())
    func arguments(_ command: String, _ value: String) throws -> [[String]] {
      try expansion.additions(
        command: command, typed: [],
        environment: [Setting(name: "PROMPT_TOKENS", value: value, source: "E")], file: []
      ).map(\.arguments)
    }
    #expect(try arguments("bench", "8,16") == [["--prompt-tokens", "8,16"]])
    for command in ["simulate", "trace synth", "plan"] {
      #expect(try arguments(command, "8,16").isEmpty)
      #expect(try arguments(command, "8") == [["--prompt-tokens", "8"]])
    }
  }

  @Test func `a switch that is off in the environment excludes nothing`() throws {
    let expansion = SettingsExpansion(table: try CommandTable.ofProgram.get())
    let additions = try expansion.additions(
      command: "bench", typed: [],
      environment: [Setting(name: "JSON", value: "false", source: "E")],
      file: [
        Setting(name: "json", value: "true", source: "F1"),
        Setting(name: "csv", value: "true", source: "F2"),
      ])
    #expect(additions.map(\.arguments) == [["--csv"]])
  }

  @Test func `wrong settings are errors that name their source`() throws {
    let expansion = SettingsExpansion(table: try CommandTable.ofProgram.get())
    func message(_ settings: Setting...) -> String {
      do {
        return "accepted: "
          + "\(try expansion.additions(command: "run", typed: [], environment: [], file: settings))"
      } catch { return "\(error)" }
    }
    #expect(
      message(Setting(name: "temprature", value: "1", source: "conf, line 2"))
        == "conf, line 2: there is no option 'temprature'. Is 'temperature' meant?")
    #expect(
      message(Setting(name: "zzzzzz", value: "1", source: "S")) == "S: there is no option 'zzzzzz'."
    )
    #expect(
      message(Setting(name: "json", value: "yes", source: "S"))
        == "S is 'yes', but must be true or false.")
    #expect(
      message(
        Setting(name: "n", value: "1", source: "S"))
        == "S: there is no option 'n'.")
    #expect(
      message(
        Setting(name: "max-tokens", value: "1", source: "S1"),
        Setting(name: "max_new_tokens", value: "1", source: "S2"))
        == "S2: max-tokens is set already by S1.")
  }

  @Test func `a bad value from the environment is named by its variable`() {
    func message(_ environment: [String: String], _ arguments: [String]) -> String {
      do {
        return "accepted: \(try Invocation(arguments).parse(environment: environment))"
      } catch { return (error as? SettingFailure)?.description ?? "other: \(error)" }
    }
    #expect(
      message(["HYBRIMOE_TOP_K": "many"], ["run", "-p", "x"])
        == "HYBRIMOE_TOP_K: The value 'many' is invalid for '--top-k <tokens>'")
    #expect(
      message(["HYBRIMOE_TOP_P": "2"], ["run", "-p", "x"]).hasPrefix("HYBRIMOE_TOP_P: top-p is 2.0")
    )
    #expect(message(["HYBRIMOE_TOP_P": "2"], ["run", "--top-p", "1"]).hasPrefix("accepted"))
    #expect(message(["HYBRIMOE_TOP_P": "2"], ["inspect", "x"]).hasPrefix("accepted"))
  }

  @Test func `every option of every command can be set from outside`() throws {
    let table = try CommandTable.ofProgram.get()
    #expect(Set(table.commandNames).isSuperset(of: ["chat", "run", "inspect", "bench"]))
    let contract = [
      "model", "gguf_path", "model_path", "context", "kv-type", "chat-template-file", "prompt",
      "file", "max-tokens", "temperature", "top-k", "top-p", "min-p", "typical-p",
      "repeat-penalty", "repeat-last-n", "samplers", "logprobs", "dry-multiplier", "dry-base",
      "dry-allowed-length", "dry-penalty-last-n", "dry-sequence-breaker", "presence-penalty",
      "frequency-penalty", "logit-bias", "seed", "stop",
      "system", "threads", "device", "gpu-memory", "cache-size", "cache_size", "cache-ratio",
      "optimize-rule-path", "optimize_rule_path", "optimize_config_path", "scheduler", "eviction",
      "admission", "prefetch-size", "prefetch_size", "json", "stats", "timeline-svg",
      "timeline-chrome", "record-trace", "log-level", "log-json", "no-color", "prompt_file",
      "max_new_tokens", "cpu_infer",
    ]
    for name in contract {
      #expect(
        table.option(name, of: "chat") != nil || table.option(name, of: "run") != nil, "\(name)")
    }
  }

  @Test func `slips of the keyboard are recognised and other words are not`() {
    let words = ["chat", "run", "inspect", "tokenize", "detokenize"]
    #expect(Spelling.nearest(to: "inspct", in: words) == "inspect")
    #expect(Spelling.nearest(to: "tokenise", in: words) == "tokenize")
    #expect(Spelling.nearest(to: "frobnicate", in: words) == nil)
    #expect(Spelling.distance("kitten", "sitting") == 3)
    #expect(Spelling.distance("", "abc") == 3)
  }
}
