/// A regular expression for names of modules, with the meaning that Python's `re.search` gives it.
///
/// Files of rules are written for Python. This matcher reads the part of its language that tells
/// names apart and refuses the rest; it follows all alternatives at once instead of trying one after
/// the other, so that no pattern takes long, and it never recurses deeper than the pattern nests.
///
/// Read are literals, `.`, classes, `\d \w \s \b` with their opposites, groups (named or not),
/// alternatives, all quantifiers greedy or lazy (which makes no difference to whether it matches),
/// `^ $ \A \Z`, and looking ahead. Refused are back-references, looking behind, flags inside the
/// pattern, conditions, and escapes of Python that stand for one unusual character.
public struct NamePattern: Equatable, Sendable {
  /// What a step of the program does.
  enum Instruction: Equatable, Sendable {
    /// Takes one character of a set.
    case take(NameCharacters)
    /// Goes on at both places.
    case split(Int, Int)
    case jump(Int)
    case atStart, atEnd, atEndOfText
    /// At, or not at, the border of a word.
    case atBorder(Bool)
    /// Whether what begins here matches the program after this instruction, which ends before `next`.
    case ahead(isNegative: Bool, next: Int)
    case match
  }

  public let text: String
  let program: [Instruction]

  /// - Throws: `NamePatternError`.
  public init(_ text: String) throws(NamePatternError) {
    self.text = text
    var compiler = NamePatternCompiler(text)
    program = try compiler.program()
  }

  /// Whether the pattern matches anywhere in a name.
  ///
  /// - Complexity: O(*p* × *n*²) for a pattern of *p* steps and a name of *n* characters; where it
  ///   looks ahead, O(*p*² × *n*³).
  public func matches(in name: String) -> Bool {
    let scalars = Array(name.unicodeScalars)
    return (0...scalars.count).contains { runs(from: 0, scalars, at: $0) }
  }

  /// Whether the program from `start` on matches what begins at `place`.
  private func runs(from start: Int, _ scalars: [Unicode.Scalar], at place: Int) -> Bool {
    var active: [Int] = []
    var isActive = [Bool](repeating: false, count: program.count)
    if follow(start, scalars, at: place, &active, &isActive) { return true }
    var place = place
    while place < scalars.count, !active.isEmpty {
      var reached: [Int] = []
      var isReached = [Bool](repeating: false, count: program.count)
      for index in active {
        guard case .take(let characters) = program[index], characters.contain(scalars[place])
        else { continue }
        if follow(index + 1, scalars, at: place + 1, &reached, &isReached) { return true }
      }
      active = reached
      isActive = isReached
      place += 1
    }
    return false
  }

  /// Adds every step that takes a character and can be reached without taking one; tells whether the
  /// end of the program can be reached so.
  private func follow(
    _ start: Int, _ scalars: [Unicode.Scalar], at place: Int, _ active: inout [Int],
    _ isActive: inout [Bool]
  ) -> Bool {
    var waiting = [start]
    while let index = waiting.popLast() {
      guard !isActive[index] else { continue }
      isActive[index] = true
      switch program[index] {
      case .match: return true
      case .take: active.append(index)
      case .jump(let target): waiting.append(target)
      case .split(let first, let second): waiting += [second, first]
      case .atStart where place == 0, .atEndOfText where place == scalars.count:
        waiting.append(index + 1)
      case .atEnd
      where place == scalars.count || place == scalars.count - 1 && scalars[place] == "\n":
        waiting.append(index + 1)
      // Python before 3.14 finds neither \b nor \B in an empty text.
      case .atBorder(let isWanted)
      where !scalars.isEmpty && Self.isBorder(scalars, place) == isWanted:
        waiting.append(index + 1)
      case .ahead(let isNegative, let next):
        if runs(from: index + 1, scalars, at: place) != isNegative { waiting.append(next) }
      case .atStart, .atEnd, .atEndOfText, .atBorder: break
      }
    }
    return false
  }

  private static func isBorder(_ scalars: [Unicode.Scalar], _ place: Int) -> Bool {
    let before = place > 0 && NameCharacters.isWord(scalars[place - 1])
    let after = place < scalars.count && NameCharacters.isWord(scalars[place])
    return before != after
  }
}

/// Why a pattern cannot be used.
public enum NamePatternError: Error, Equatable, CustomStringConvertible {
  /// No pattern in Python either; `offset` counts characters from 0, as Python does.
  case invalid(offset: Int, problem: String)
  case unsupported(offset: Int, what: String)
  case tooLarge

  public var description: String {
    switch self {
    case .invalid(let offset, let problem): "at character \(offset): \(problem)"
    case .unsupported(let offset, let what): "at character \(offset): \(what) cannot be used here"
    case .tooLarge: "the pattern is too large; write shorter repetitions"
    }
  }
}
