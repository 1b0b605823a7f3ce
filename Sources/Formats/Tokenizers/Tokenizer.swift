/// Turns text into token ids and back, exactly as the model was trained with.
///
/// Byte-level BPE (`gpt2`) and SentencePiece BPE (`llama`). The peer whose output is reproduced is the
/// PyPI package `tokenizers` with each model's own `tokenizer.json`.
///
/// Immutable, so that it can be shared between threads. Encoding takes n log n in the longest word.
public struct Tokenizer: Sendable {
  /// The vocabulary's kind.
  private enum Encoder: Sendable {
    case bytePair(BytePairEncoder, PreTokenizer)
    case sentencePiece(SentencePieceEncoder, addsSpacePrefix: Bool)
  }

  private let encoder: Encoder
  private let table: TokenTable
  private let types: [TokenType]
  private let added: AddedTokens
  private let spellings: TokenSpellings

  /// The token that begins a text, if the vocabulary has one.
  public let bosToken: Int?
  /// The token that ends a text.
  public let eosToken: Int?
  /// The token that stands for what the vocabulary cannot spell.
  public let unknownToken: Int?
  /// The token that fills up a batch.
  public let paddingToken: Int?
  /// Whether ``encode(_:addSpecial:parseSpecial:)`` begins a text with ``bosToken`` when asked to add
  /// special tokens.
  public let addsBOS: Bool
  /// Whether ``encode(_:addSpecial:parseSpecial:)`` ends a text with ``eosToken`` likewise.
  public let addsEOS: Bool
  /// The tokens after which a model has finished its answer.
  public let endOfGenerationTokens: Set<Int>
  /// What in the vocabulary was replaced by a default, as sentences for a log; usually empty.
  public let warnings: [String]

  /// Reads a vocabulary.
  ///
  /// - Parameter preTokenizerOverride: used instead of ``Vocabulary/pre`` (BPE only).
  /// - Throws: ``TokenizerError``.
  public init(_ vocabulary: Vocabulary, preTokenizerOverride: String? = nil) throws(TokenizerError)
  {
    var warnings: [String] = []
    let isSentencePiece = try Self.checkedModel(vocabulary)
    let types = try Self.checkedTypes(vocabulary)
    let table = try Self.table(of: vocabulary.tokens)
    let special = SpecialTokens(
      vocabulary, table: table, types: types, isSentencePiece: isSentencePiece, warnings: &warnings)
    if isSentencePiece {
      guard vocabulary.scores.count == table.count else {
        throw .wrongCount(
          key: "tokenizer.ggml.scores", expected: table.count, found: vocabulary.scores.count)
      }
      let encoder = try SentencePieceEncoder(
        tokens: table, scores: vocabulary.scores, types: special.types, unknown: special.unknown)
      self.encoder = .sentencePiece(
        encoder, addsSpacePrefix: vocabulary.addSpacePrefix ?? true)
      addsBOS = vocabulary.addBOS ?? true
    } else {
      let preTokenizer = try Self.preTokenizer(
        preTokenizerOverride ?? vocabulary.pre, warnings: &warnings)
      guard vocabulary.merges.count <= Self.entryLimit else {
        throw .tooManyEntries(
          key: "tokenizer.ggml.merges", count: vocabulary.merges.count, limit: Self.entryLimit)
      }
      let encoder = try BytePairEncoder(
        merges: vocabulary.merges, tokens: table, types: special.types, unknown: special.unknown,
        ignoresMerges: preTokenizer.ignoresMerges)
      if !encoder.missingBytes.isEmpty {
        warnings.append(
          "\(encoder.missingBytes.count) of the 256 bytes have no token; text with them loses them")
      }
      if vocabulary.merges.isEmpty {
        warnings.append("tokenizer.ggml.merges is missing or empty, so every byte becomes a token")
      }
      self.encoder = .bytePair(encoder, preTokenizer)
      addsBOS = vocabulary.addBOS ?? preTokenizer.addsBOS
    }
    self.table = table
    self.types = special.types
    added = try AddedTokens(special.added, tokens: table)
    spellings = TokenSpellings(
      vocabulary.tokens, types: special.types, isSentencePiece: isSentencePiece)
    bosToken = special.bos
    eosToken = special.eos
    unknownToken = special.unknown
    paddingToken = special.padding
    addsEOS = vocabulary.addEOS ?? false
    endOfGenerationTokens = special.endOfGeneration
    self.warnings = warnings
  }

  /// The number of ids; they are 0 to this less one.
  public var tokenCount: Int { table.count }

  /// Names that ``Vocabulary/pre`` and the override may have, sorted.
  public static var knownPreTokenizers: [String] { PreTokenizerFamily.names }

  /// The tokens of a text.
  ///
  /// - Parameters:
  ///   - addSpecial: adds ``bosToken`` and ``eosToken`` where the vocabulary asks for them.
  ///   - parseSpecial: control tokens written in the text become tokens instead of plain text.
  ///     User-defined tokens always do.
  public func encode(
    _ text: String, addSpecial: Bool = false, parseSpecial: Bool = false
  ) -> [Int] {
    var output: [Int] = []
    if addSpecial, addsBOS, let bosToken { output.append(bosToken) }
    let bytes = Array(text.utf8)
    var storage = Storage()
    var start = 0
    var search = 0
    while let match = added.next(in: bytes, from: search) {
      search = match.range.upperBound
      if types[match.token] != .userDefined, !parseSpecial { continue }
      encode(bytes, start..<match.range.lowerBound, &storage, to: &output)
      output.append(match.token)
      start = match.range.upperBound
    }
    encode(bytes, start..<bytes.count, &storage, to: &output)
    if addSpecial, addsEOS, let eosToken { output.append(eosToken) }
    return output
  }

  /// The tokens of a text in parts, some of which come from outside.
  ///
  /// The parts are one text, whose words may go across the seams; but a control token is read only
  /// where all of it was written by a part that may write such tokens.
  public func encode(_ spans: [TextSpan]) -> [Int] {
    var bytes: [UInt8] = []
    // How many bytes at or before each one cannot belong to a control token.
    var barred: [Int] = [0]
    for span in spans {
      for byte in span.text.utf8 {
        bytes.append(byte)
        barred.append((barred.last ?? 0) + (span.readsControlTokens ? 0 : 1))
      }
    }
    var output: [Int] = []
    var storage = Storage()
    var start = 0
    var search = 0
    while let match = added.next(in: bytes, from: search) {
      let range = match.range
      if types[match.token] != .userDefined, barred[range.upperBound] > barred[range.lowerBound] {
        search = range.lowerBound + 1
        continue
      }
      encode(bytes, start..<range.lowerBound, &storage, to: &output)
      output.append(match.token)
      start = range.upperBound
      search = start
    }
    encode(bytes, start..<bytes.count, &storage, to: &output)
    return output
  }

  /// What encoding needs and reuses from word to word.
  private struct Storage {
    var merger = SymbolMerger()
    var spelling: [UInt8] = []
  }

  /// Encodes text without added tokens.
  private func encode(
    _ bytes: [UInt8], _ range: Range<Int>, _ storage: inout Storage, to output: inout [Int]
  ) {
    if range.isEmpty { return }
    switch encoder {
    case .sentencePiece(let encoder, let addsSpacePrefix):
      var marked: [UInt8] = []
      marked.reserveCapacity(range.count + 3)
      if addsSpacePrefix { marked.append(contentsOf: SentencePieceEncoder.spaceMark) }
      for byte in bytes[range] {
        if byte == UInt8(ascii: " ") {
          marked.append(contentsOf: SentencePieceEncoder.spaceMark)
        } else {
          marked.append(byte)
        }
      }
      encoder.encode(marked, tokens: table, merger: &storage.merger, to: &output)
    case .bytePair(let encoder, let preTokenizer):
      var text = bytes[range]
      var scalars = String(decoding: text, as: UTF8.self).unicodeScalars.map(\.value)
      if preTokenizer.composes {
        let composed = CanonicalComposition.shared.compose(scalars)
        if composed != scalars {
          scalars = composed
          text = Self.utf8(of: scalars)[...]
        }
      }
      var start = text.startIndex
      for wordEnd in preTokenizer.wordEnds(in: scalars, text) {
        let end = text.startIndex + wordEnd
        encoder.encode(
          text[start..<end], tokens: table, merger: &storage.merger,
          spelling: &storage.spelling, to: &output)
        start = end
      }
    }
  }

  private static func utf8(of scalars: [UInt32]) -> [UInt8] {
    var text = ""
    for scalar in scalars.lazy.compactMap(Unicode.Scalar.init) {
      text.unicodeScalars.append(scalar)
    }
    return Array(text.utf8)
  }

  /// The text of tokens; invalid UTF-8 becomes U+FFFD, one per maximal invalid part.
  ///
  /// - Parameter skipSpecial: leaves out control and unknown tokens.
  /// - Throws: ``TokenizerError/tokenOutOfRange(id:count:)``.
  public func decode(_ tokens: [Int], skipSpecial: Bool = true) throws(TokenizerError) -> String {
    var bytes: [UInt8] = []
    for token in tokens {
      guard let spelled = self.bytes(of: token) else {
        throw .tokenOutOfRange(id: token, count: tokenCount)
      }
      if skipSpecial, isSpecial(token) { continue }
      bytes.append(contentsOf: spelled)
    }
    if stripsLeadingSpace, bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether decoded text loses one space at its start: encoding added one.
  var stripsLeadingSpace: Bool {
    if case .sentencePiece(_, addsSpacePrefix: true) = encoder { return true }
    return false
  }

  /// The bytes that a token stands for, or nil where the id is out of range.
  public func bytes(of token: Int) -> [UInt8]? {
    guard token >= 0, token < tokenCount else { return nil }
    return spellings[token]
  }

  /// The token's text as the vocabulary has it, or nil where the id is out of range.
  public func text(of token: Int) -> String? {
    guard token >= 0, token < tokenCount else { return nil }
    return String(decoding: table.bytes[table.range(of: token)], as: UTF8.self)
  }

  /// The token whose text in the vocabulary is exactly this.
  public func id(of text: String) -> Int? { table.id(of: Array(text.utf8)).map(Int.init) }

  /// Whether the token is written by templates and models, not by plain text; false out of range.
  public func isControl(_ token: Int) -> Bool { type(of: token) == .control }

  /// Whether the token ends an answer.
  public func isEndOfGeneration(_ token: Int) -> Bool { endOfGenerationTokens.contains(token) }

  /// What the token is for, or nil where the id is out of range.
  public func type(of token: Int) -> TokenType? {
    token >= 0 && token < types.count ? types[token] : nil
  }

  /// Whether decoding leaves the token out when it skips special tokens.
  func isSpecial(_ token: Int) -> Bool {
    let type = type(of: token)
    return type == .control || type == .unknown
  }
}

/// A part of a text, and whether control tokens that are written in it count.
public struct TextSpan: Sendable, Equatable {
  public var text: String
  public var readsControlTokens: Bool

  public init(_ text: String, readsControlTokens: Bool) {
    self.text = text
    self.readsControlTokens = readsControlTokens
  }
}
