import ArgumentParser
import Models
import Tokenizers

/// Which model.
struct ModelOptions: ParsableArguments {
  @Option(
    name: [.customShort("m", allowingJoined: true), .long], parsing: .unconditional,
    help: .init(
      "The model: a GGUF file, any part of a split one, a directory that holds one, or what was "
        + "downloaded, as REPOSITORY:QUANTISATION (default: the bundled model).",
      valueName: "file"))
  var model: String?

  @Option(
    name: [.customLong("gguf-path"), .customLong("gguf_path")], parsing: .unconditional,
    help: .init("The same as --model.", valueName: "file"))
  var ggufPath: String?

  @Option(
    name: [.customLong("model-path"), .customLong("model_path")], parsing: .unconditional,
    help: .init(
      "The same as --model; beside --gguf-path it is not needed, since a GGUF file carries its own "
        + "configuration and tokenizer.", valueName: "file"))
  var modelPath: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "How the vocabulary splits text, where the file does not say or says it wrongly.",
      valueName: "name"))
  var preTokenizer: String?

  /// Whether any of the options names a model.
  var isGiven: Bool { model != nil || ggufPath != nil || modelPath != nil }

  func validate() throws {
    if let model, let ggufPath, model != ggufPath {
      throw ValidationError(
        "--model says '\(model)' and --gguf-path says '\(ggufPath)'; give only one of them.")
    }
    if let preTokenizer, !Tokenizer.knownPreTokenizers.contains(preTokenizer) {
      throw ValidationError(
        TokenizerError.unknownPreTokenizer(preTokenizer, known: Tokenizer.knownPreTokenizers)
          .description)
    }
    for path in [model, ggufPath, modelPath] where path == "" {
      throw ValidationError(
        "The model's path is empty; leave the option out for the bundled model.")
    }
  }
}

/// How long a conversation may be and how it is kept.
struct ContextOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init(
      "Most tokens that the conversation may have (default: the model's own, as far as memory allows).",
      valueName: "tokens"))
  var context: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Element type of the key-value cache.", valueName: "type"))
  var kvType: KeyValueType?

  @Option(
    parsing: .unconditional,
    help: .init(
      "A chat template, in the Jinja language, that takes the place of the model's own.",
      valueName: "file"))
  var chatTemplateFile: String?

  func validate() throws {
    if let context, context < 1 {
      throw ValidationError("--context is \(context), but must be at least 1 token.")
    }
  }
}
