/// What a template may use, so that no template runs forever or fills the memory.
public struct ChatTemplateLimits: Sendable {
  /// Expressions and statements to evaluate, and pieces of text to make; about ten million a second.
  public var steps: Int
  /// The longest text that may be made, in characters, and so the longest prompt.
  public var characters: Int

  /// The defaults leave room for a conversation that fills any model's context.
  public init(steps: Int = 20_000_000, characters: Int = 8_000_000) {
    self.steps = steps
    self.characters = characters
  }
}

/// Counts what a template uses.
struct Budget {
  /// How deep calls, blocks and expressions may be nested while rendering.
  static let maximumDepth = 500
  /// How deep macros may call each other.
  static let maximumCalls = 90
  /// Making this many characters, or elements of a list, counts as a step.
  private static let charactersPerStep = 4

  private let limits: ChatTemplateLimits
  private var steps = 0

  init(_ limits: ChatTemplateLimits) { self.limits = limits }

  mutating func step() throws {
    steps += 1
    if steps > limits.steps { throw tooLong }
  }

  /// Refuses a text that is too long.
  func check(_ count: Int) throws {
    guard count <= limits.characters else {
      throw Failure.limit("it makes a text of more than \(limits.characters) characters")
    }
  }

  /// Counts a text, or a list, that has been made or is about to be made.
  mutating func make(_ count: Int) throws {
    try check(count)
    steps += count / Self.charactersPerStep
    if steps > limits.steps { throw tooLong }
  }

  private var tooLong: Failure { .limit("it takes more than \(limits.steps) steps") }
}
