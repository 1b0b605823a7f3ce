/// How a model marks what it thinks before it answers.
public enum ReasoningMarks: Sendable, Equatable {
  /// Between two marks, such as `<think>` and `</think>`: DeepSeek-R1, Qwen3, GLM, MiniMax, Kimi.
  case enclosed(opening: String, closing: String)
  /// In messages of named channels, `final` being the answer: gpt-oss.
  case channels

  private static let pairs = [
    ("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"), ("<reasoning>", "</reasoning>"),
  ]

  /// The marks that a chat template writes or looks for; nil where it knows none.
  public init?(template: String) {
    if template.contains("<|channel|>"), template.contains("<|message|>") {
      self = .channels
    } else if let pair = Self.pairs.first(where: { template.contains($0.1) }) {
      self = .enclosed(opening: pair.0, closing: pair.1)
    } else {
      return nil
    }
  }

  /// Names of tokens that must be shown in the text for the marks to be seen, also where they are
  /// control tokens.
  public var tokenNames: [String] {
    switch self {
    case .enclosed(let opening, let closing): [opening, closing]
    case .channels: ReasoningSplitter.channelMarks
    }
  }
}

/// Parts a model's text into thoughts and answer while it comes.
///
/// Marks may be cut anywhere; what could be the beginning of one is held back until it is decided.
/// The marks themselves come out nowhere, nor does the white space that follows them. The parts do not
/// depend on how the text was cut.
public struct ReasoningSplitter: Sendable {
  /// A part of the text.
  public struct Part: Sendable, Equatable {
    public var text: String
    public var isReasoning: Bool

    public init(_ text: String, isReasoning: Bool) {
      self.text = text
      self.isReasoning = isReasoning
    }
  }

  private enum State {
    case reasoning, answer
    /// Between the messages of channels: who speaks in which channel.
    case header
  }

  static let channelMarks = [
    "<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|return|>", "<|call|>",
  ]

  private let marks: ReasoningMarks?
  private let texts: [String]
  private var state: State
  /// Text that may begin a mark.
  private var held = ""
  private var header = ""
  /// Whether white space is dropped because a mark came before it.
  private var skipsSpace = false

  /// A splitter at the start of an answer.
  ///
  /// - Parameters:
  ///   - marks: nil: everything is answer.
  ///   - promptEnd: the end of the prompt as the template wrote it; where the opening mark is its last
  ///     word, the model begins with its thoughts.
  public init(_ marks: ReasoningMarks?, promptEnd: String = "") {
    self.marks = marks
    switch marks {
    case nil:
      texts = []
      state = .answer
    case .enclosed(let opening, let closing)?:
      texts = [opening, closing]
      let end = promptEnd.reversed().drop(while: \.isWhitespace).reversed()
      let isOpen = String(end).hasSuffix(opening)
      state = isOpen ? .reasoning : .answer
      skipsSpace = isOpen
    case .channels?:
      texts = Self.channelMarks
      state = .header
    }
  }

  /// Takes the next piece of the text.
  public mutating func feed(_ piece: String) -> [Part] {
    guard !texts.isEmpty else { return piece.isEmpty ? [] : [Part(piece, isReasoning: false)] }
    held += piece
    var parts: [Part] = []
    while let (mark, range) = firstMark() {
      emit(String(held[..<range.lowerBound]), to: &parts)
      held.removeSubrange(..<range.upperBound)
      meet(mark)
    }
    let kept = heldCount()
    let end = held.utf8.index(held.endIndex, offsetBy: -kept)
    emit(String(held[..<end]), to: &parts)
    held.removeSubrange(..<end)
    return parts
  }

  /// The rest, at the end of the text.
  public mutating func finish() -> [Part] {
    var parts: [Part] = []
    emit(held, to: &parts)
    held = ""
    // A model that writes no channel has written an answer.
    if state == .header, !header.isEmpty, !header.contains("<|channel|>") {
      Self.append(Part(header, isReasoning: false), to: &parts)
    }
    header = ""
    return parts
  }

  /// The thoughts and the answer of a whole text.
  public static func split(
    _ text: String, _ marks: ReasoningMarks?, promptEnd: String = ""
  ) -> (reasoning: String, answer: String) {
    var splitter = ReasoningSplitter(marks, promptEnd: promptEnd)
    let parts = splitter.feed(text) + splitter.finish()
    func joined(_ isReasoning: Bool) -> String {
      parts.filter { $0.isReasoning == isReasoning }.map(\.text).joined()
    }
    return (joined(true), joined(false))
  }

  private func firstMark() -> (mark: String, range: Range<String.Index>)? {
    let found = texts.compactMap { text in
      held.firstRange(of: text).map { (mark: text, range: $0) }
    }
    return found.min { $0.range.lowerBound < $1.range.lowerBound }
  }

  /// How many bytes at the end may begin a mark.
  private func heldCount() -> Int {
    let bytes = Array(held.utf8)
    let longest = texts.map(\.utf8.count).max() ?? 0
    for count in stride(from: min(bytes.count, longest), to: 0, by: -1)
    where texts.contains(where: { $0.utf8.starts(with: bytes.suffix(count)) }) {
      return count
    }
    return 0
  }

  private mutating func meet(_ mark: String) {
    switch marks {
    case .enclosed(let opening, _):
      state = mark == opening ? .reasoning : .answer
      skipsSpace = true
    case .channels:
      if mark == "<|message|>" {
        let channel = header.split(separator: "<|channel|>").last ?? ""
        state = channel.hasPrefix("final") || header.isEmpty ? .answer : .reasoning
        header = ""
      } else {
        if state != .header { header = "" }
        state = .header
        if mark == "<|channel|>" { header += mark }
      }
    case nil: break
    }
  }

  private mutating func emit(_ text: String, to parts: inout [Part]) {
    var text = Substring(text)
    if state == .header {
      header += text
      return
    }
    if skipsSpace {
      text = text.drop(while: \.isWhitespace)
      if text.isEmpty { return }
      skipsSpace = false
    }
    if !text.isEmpty {
      Self.append(Part(String(text), isReasoning: state == .reasoning), to: &parts)
    }
  }

  private static func append(_ part: Part, to parts: inout [Part]) {
    if let last = parts.last, last.isReasoning == part.isReasoning {
      parts[parts.count - 1].text += part.text
    } else {
      parts.append(part)
    }
  }
}
