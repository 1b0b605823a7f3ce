import CPUCompute
import Experts
import HostMemory
import Models

/// One sequence and its KV cache: takes tokens in, gives logits out.
///
/// A token's logits have the same bits however the tokens before it were cut into chunks, whatever the
/// thread count and the instruction set.
///
/// Not for use by two threads at once.
public final class SequenceRunner {
  public let model: DecoderModel
  public let contextLength: Int
  /// The tokens whose keys and values the cache holds.
  public private(set) var tokens: [Int] = []
  public let compute: CPUBackend
  /// What computes the sequence.
  public let backend: any SequenceBackend
  private let chunkTokenCount: Int

  /// Work space for a chunk's activations: by its shapes DeepSeek-V3 takes about 185 MB for 128 tokens.
  private static let largestWorkBytes = 256 << 20
  /// What even a small file may take; a quarter of the file's size is added.
  private static let smallestWorkBudget = 32 << 20

  /// - Parameter backend: makes what computes the sequence; nil: this processor.
  /// - Throws: `InferenceError.contextOutOfRange`, `.invalidOption`, `ModelError`, `HostMemoryError`,
  ///   what `backend` throws.
  public init(
    model: DecoderModel, options: SessionOptions,
    backend: ((SequenceSetup) throws -> any SequenceBackend)? = nil
  ) throws {
    let longest = model.hyperparameters.contextLength
    let length =
      options.contextLength
      ?? SessionOptions.defaultContextLength(model, type: options.keyValueType)
    guard (1...longest).contains(length) else {
      throw InferenceError.contextOutOfRange(asked: length, modelContext: longest)
    }
    if let asked = options.threadCount, !(1...1_024).contains(asked) {
      throw InferenceError.invalidOption(
        name: "threads", value: "\(asked)", expected: "1 to 1024")
    }
    let placement = ThreadPlacement(
      .current(), threadCount: options.threadCount, affinity: options.affinity)
    guard (1...65_536).contains(options.chunkTokenCount) else {
      throw InferenceError.invalidOption(
        name: "chunk", value: "\(options.chunkTokenCount)", expected: "1 to 65536 tokens")
    }
    self.model = model
    contextLength = length
    chunkTokenCount = try SequenceRunner.chunkTokenCount(model, options, contextLength: length)
    compute = try CPUBackend(
      threadCount: placement.threadCount, processors: placement.processors,
      instructionSet: options.instructionSet)
    let setup = SequenceSetup(
      model: model, compute: compute, contextLength: length, keyValueType: options.keyValueType,
      chunkTokenCount: chunkTokenCount)
    self.backend = try backend?(setup) ?? CPUSequenceBackend(setup)
  }

  /// Tokens that are taken in at once: as many as asked for, unless their work space would be large
  /// beside the model.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public static func chunkTokenCount(
    _ model: DecoderModel, _ options: SessionOptions, contextLength: Int
  ) throws(HostMemoryError) -> Int {
    let workBytes = model.workBytesPerToken
    guard workBytes <= largestWorkBytes else {
      throw .cannotAllocate(
        byteCount: workBytes, purpose: "one token's activations", reason: "no real model needs it")
    }
    let budget = min(largestWorkBytes, smallestWorkBudget + model.weightByteCount / 4)
    return max(1, min(options.chunkTokenCount, contextLength, budget / max(1, workBytes)))
  }

  /// Forgets all but the first `count` tokens.
  public func rewind(to count: Int) {
    precondition(count >= 0 && count <= tokens.count)
    tokens.removeLast(tokens.count - count)
  }

  /// Takes tokens in and gives the logits behind the last one. [vocabulary]
  ///
  /// - Parameters:
  ///   - phase: `.decode` for tokens that the model itself wrote, one at a time: latent attention has
  ///     another form then, whose result differs by about what int8 activations cost.
  ///   - observer: sees the routing.
  ///   - progress: called behind each chunk with the number of tokens taken in so far.
  ///   - isCancelled: asked between layers; true ends the call with `InferenceError.cancelled`, the
  ///     tokens of finished chunks stay.
  /// - Throws: `InferenceError`, `HostMemoryError.cannotAllocate`, what the executor throws.
  public func accept(
    _ newTokens: [Int], phase: Phase = .prefill, observer: (any StepObserver)? = nil,
    progress: (Int) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> [Float] {
    var logits: [Float] = []
    try forEachChunk(
      newTokens, phase, wanting: .last, observer: observer, progress: progress,
      isCancelled: isCancelled
    ) { range in
      guard range.upperBound == newTokens.count else { return }
      try backend.withLogits(ofRows: 0..<1) { logits = Array($1) }
      guard logits.allSatisfy(\.isFinite) else { throw InferenceError.logitsNotFinite }
    }
    return logits
  }

  /// Takes tokens in and gives the logits behind every one of them to `body`, in order:
  /// `body(index in newTokens, logits)`.
  /// - Throws: as `accept`.
  public func acceptEach(
    _ newTokens: [Int], progress: (Int) -> Void = { _ in }, isCancelled: () -> Bool = { false },
    _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try forEachChunk(
      newTokens, .prefill, wanting: .all, observer: nil, progress: progress,
      isCancelled: isCancelled
    ) { range in
      try backend.withLogits(ofRows: 0..<range.count) { row, numbers in
        guard numbers.allSatisfy(\.isFinite) else { throw InferenceError.logitsNotFinite }
        try body(range.lowerBound + row, numbers)
      }
    }
  }

  /// The tokens whose final states a caller reads.
  private enum Wanted { case all, last }

  private func forEachChunk(
    _ newTokens: [Int], _ phase: Phase, wanting wanted: Wanted, observer: (any StepObserver)?,
    progress: (Int) -> Void,
    isCancelled: () -> Bool, _ body: (Range<Int>) throws -> Void
  ) throws {
    guard !newTokens.isEmpty else { throw InferenceError.emptyPrompt }
    guard tokens.count + newTokens.count <= contextLength else {
      throw InferenceError.promptTooLong(
        tokenCount: tokens.count + newTokens.count, contextLength: contextLength)
    }
    let vocabularySize = model.hyperparameters.vocabularySize
    if let wrong = newTokens.first(where: { $0 < 0 || $0 >= vocabularySize }) {
      throw InferenceError.tokenOutOfRange(token: wrong, vocabularySize: vocabularySize)
    }
    for start in stride(from: 0, to: newTokens.count, by: chunkTokenCount) {
      let range = start..<min(start + chunkTokenCount, newTokens.count)
      let chunk = Array(newTokens[range])
      let isLast = range.upperBound == newTokens.count
      let rows =
        wanted == .all ? 0..<chunk.count : (isLast ? chunk.count - 1 : chunk.count)..<chunk.count
      try backend.forward(
        chunk, rows: rows, position: tokens.count, phase: phase, observer: observer
      ) {
        if isCancelled() { throw InferenceError.cancelled }
      }
      tokens += chunk
      try body(range)
      progress(range.upperBound)
    }
  }
}
