import GGUF
import HostMemory
import Models
import Tokenizers

/// Where a model's bytes are.
// Safety: `bytes` names constant memory that lives as long as the process.
public enum ModelLocation: @unchecked Sendable {
  case file(path: String)
  case bytes(UnsafeRawBufferPointer, name: String)

  /// Opens the file's header; of a split model, all headers.
  /// - Throws: `HostMemoryError`, `GGUFError`.
  public func open() throws -> GGUFFile {
    switch self {
    case .file(let path):
      try GGUFFile.open(path: path) { MappedSource(try MappedFile(path: $0)) }
    case .bytes(let bytes, let name):
      try GGUFFile.open(path: name) { _ in StaticSource(bytes) }
    }
  }
}

/// A model ready to run: weights where they lie in the file, and the tokenizer. Shared by any number
/// of sequences.
public final class LoadedModel: Sendable {
  public let file: GGUFFile
  public let model: DecoderModel
  public let tokenizer: Tokenizer

  public var hyperparameters: Hyperparameters { model.hyperparameters }

  /// Opens, checks and takes apart a model's file. Weights are mapped, not read.
  /// - Parameters:
  ///   - preTokenizer: what to use in place of the file's own `tokenizer.ggml.pre`.
  ///   - weights: how weights are kept in memory.
  /// - Throws: `HostMemoryError`, `GGUFError`, `ModelError`, `TokenizerError`, `InferenceError`.
  public init(
    _ location: ModelLocation, preTokenizer: String? = nil, weights: WeightLoading = WeightLoading()
  ) throws {
    file = try location.open()
    model = try DecoderModel.load(file, weights: weights)
    tokenizer = try Tokenizer(
      try Vocabulary(file.metadata), preTokenizerOverride: preTokenizer)
    guard tokenizer.tokenCount == model.hyperparameters.vocabularySize else {
      throw InferenceError.vocabularyMismatch(
        path: file.path, tokens: tokenizer.tokenCount,
        rows: model.hyperparameters.vocabularySize)
    }
  }
}
