/// Ends an answer at a stop string, also where tokens cut the stop string into pieces.
///
/// Fed with the answer piece by piece, it lets through all text that cannot belong to a stop string
/// any more and holds back the rest. The first stop string to be complete wins, the longest of
/// those that end together. Text is compared as UTF-8 bytes, not as characters: `é` in one code
/// point does not stop at `é` in two. The outcome does not depend on how the text was cut.
///
/// What must be held back is the longest beginning of a stop string that the text ends with.
public struct StopMatcher: Sendable {
  /// What one piece of text led to.
  public struct Outcome: Sendable, Equatable {
    /// Text that may be shown now.
    public var text: String
    /// The stop string that was found; the answer ends and nothing more comes through.
    public var stopString: String?
  }

  private var patterns: [TextPattern]
  private var held: [UInt8] = []
  private var hasStopped = false

  /// A matcher at the start of an answer; with no stop strings it lets everything through.
  ///
  /// - Throws: `SamplingError.emptyStopString`.
  public init(_ stopStrings: [String]) throws(SamplingError) {
    for (position, text) in stopStrings.enumerated() where text.isEmpty {
      throw .emptyStopString(position: position)
    }
    patterns = stopStrings.map(TextPattern.init)
  }

  /// Takes the next piece of the answer.
  ///
  /// - Complexity: O(bytes × stop strings), whatever the cuts.
  public mutating func feed(_ piece: String) -> Outcome {
    guard !hasStopped else { return Outcome(text: "", stopString: nil) }
    guard !patterns.isEmpty else { return Outcome(text: piece, stopString: nil) }
    for byte in piece.utf8 {
      held.append(byte)
      var found: TextPattern?
      for index in patterns.indices where patterns[index].advance(byte) {
        if patterns[index].bytes.count > found?.bytes.count ?? 0 { found = patterns[index] }
      }
      if let found {
        hasStopped = true
        return Outcome(text: release(allBut: found.bytes.count), stopString: found.text)
      }
    }
    return Outcome(text: release(allBut: patterns.map(\.matched).max() ?? 0), stopString: nil)
  }

  /// The text still held back, at the end of an answer that no stop string ended.
  public mutating func finish() -> String {
    guard !hasStopped else { return "" }
    hasStopped = true
    return release(allBut: 0)
  }

  /// Takes the held text but its last `count` bytes, which begin a stop string and so a character.
  private mutating func release(allBut count: Int) -> String {
    let end = held.count - count
    let text = String(decoding: held[..<end], as: UTF8.self)
    held.removeFirst(end)
    return text
  }
}
