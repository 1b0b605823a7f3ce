import ArgumentParser
import CBundledModel
import Downloads
import GGUF
import HostMemory
import Inference
import Models
import Tokenizers

extension ModelOptions {
  /// Where the model's bytes are.
  ///
  /// - Throws: `CommandFailure` where nothing is there.
  func location() throws -> ModelLocation {
    switch try choice() {
    case .file(let path), .pulled(let path, from: _): return .file(path: path)
    case .bundled:
      var byteCount = 0
      guard let bytes = hybrimoe_bundled_model(&byteCount) else {
        throw CommandFailure(
          "This build has no bundled model; give the path of a GGUF file with --model.")
      }
      // Safety: the bytes are a constant of the program.
      return .bytes(
        UnsafeRawBufferPointer(start: bytes, count: byteCount), name: "the bundled model")
    }
  }

  /// Says which model is used where the name alone does not.
  private func noteChoice(_ console: Console) throws {
    if let modelPath, let used = ggufPath ?? model, used != modelPath {
      console.note(
        "--model-path is not needed: '\(used)' carries its own configuration and tokenizer.")
    }
    if case .pulled(let path, from: let repository) = try choice() {
      let message = "\(repository): \(path)"
      let isNamed = named.flatMap(ModelReference.init)?.repository == repository
      if isNamed { console.debug(message) } else { console.note(message) }
    }
  }

  private func note(_ warnings: [String], of file: GGUFFile, _ console: Console) {
    for warning in warnings { console.warn("\(file.path): \(warning)") }
    let kind = (try? file.metadata.stringIfPresent("tokenizer.ggml.model")) ?? nil
    guard preTokenizer != nil, kind == "llama" else { return }
    console.warn("--pre-tokenizer: no effect here, since this is a SentencePiece vocabulary.")
  }

  /// The tokenizer of the file that the options name, of any architecture.
  func tokenizer(console: Console) throws -> Tokenizer {
    try fileAndTokenizer(console: console).tokenizer
  }

  /// The file that the options name, of any architecture, and its tokenizer.
  func fileAndTokenizer(console: Console) throws -> (file: GGUFFile, tokenizer: Tokenizer) {
    try noteChoice(console)
    let file = try location().open()
    let tokenizer = try Tokenizer(
      Vocabulary(file.metadata), preTokenizerOverride: preTokenizer)
    note(tokenizer.warnings, of: file, console)
    return (file, tokenizer)
  }

  /// The model, ready to run.
  ///
  /// - Parameter deviceByteCount: memory of a device that takes a part of it; nil where nobody knows yet.
  func load(
    _ machine: MachineOptions, deviceByteCount: Int? = nil, console: Console
  ) throws -> LoadedModel {
    try noteChoice(console)
    let progress = console.progress("Packing the weights into a file")
    var weights = WeightLoading(
      machine.weights, cacheFolder: CacheFolder.packedWeights(environment: Environment.all),
      placement: ThreadPlacement(
        .current(), threadCount: machine.threads, affinity: machine.affinity),
      progress: { progress.update($0) },
      notice: { notice in
        progress.finish()
        console.warn("\(notice)")
      })
    let mayHaveDevice = machine.device != .cpu && machine.device != .emulated
    weights.deviceByteCount = deviceByteCount ?? (mayHaveDevice ? 1 << 60 : 0)
    let loaded = try LoadedModel(location(), preTokenizer: preTokenizer, weights: weights)
    progress.finish()
    note(loaded.tokenizer.warnings, of: loaded.file, console)
    console.debug(
      "\(loaded.file.path): \(loaded.hyperparameters.architecture), "
        + "\(loaded.hyperparameters.layerCount) layers")
    return loaded
  }
}

extension ContextOptions {
  /// Says that a given template has no effect on a command that writes no conversation.
  func noteUnusedTemplate(_ console: Console) {
    guard chatTemplateFile != nil else { return }
    console.warn("--chat-template-file: no effect here, since only chat writes in a chat format.")
  }
}

extension SessionOptions {
  /// What the command line says about a sequence.
  init(
    _ context: ContextOptions, _ machine: MachineOptions, contextLength: Int? = nil,
    keyValueType: KeyValueType = .f16
  ) {
    self.init(
      contextLength: context.context ?? contextLength, keyValueType: context.kvType ?? keyValueType,
      threadCount: machine.threads, affinity: machine.affinity)
  }
}

extension KeyValueType: ExpressibleByArgument {}

extension Tokenizer {
  /// The tokens of a text that is to be continued: with the token that begins a text where the
  /// vocabulary asks for one, never with the one that ends it.
  func beginning(_ text: String, parseSpecial: Bool) -> [Int] {
    let tokens = encode(text, parseSpecial: parseSpecial)
    guard addsBOS, let bosToken, tokens.first != bosToken else { return tokens }
    return [bosToken] + tokens
  }
}
