// Quantifiers, and the code of a repeated atom.
extension NamePatternCompiler {
  mutating func quantified(
    _ atom: [Instruction], isAssertion: Bool
  ) throws(NamePatternError) -> [Instruction] {
    guard let (least, most) = try quantifier() else { return atom }
    // Looking twice at the same place sees the same: an assertion is needed once or not at all.
    let body = isAssertion && most != 0 ? (min(least, 1), Optional(1)) : (least, most)
    return try Self.repeated(atom, body.0, body.1)
  }

  private static func repeated(
    _ atom: [Instruction], _ least: Int, _ most: Int?
  ) throws(NamePatternError) -> [Instruction] {
    var code: [Instruction] = []
    for _ in 0..<least { code = try joined(code, atom) }
    guard let most else {
      // L: split(in, out) atom jump(L). The matcher visits a step once for each place, so an atom
      // that takes nothing ends by itself.
      let loop = try joined([.split(1, atom.count + 2)], atom) + [.jump(0)]
      return try joined(code, loop)
    }
    let optional = try joined([.split(1, atom.count + 1)], atom)
    for _ in least..<max(least, most) { code = try joined(code, optional) }
    return code
  }

  /// The bounds of a quantifier that stands here; nil where none does.
  private mutating func quantifier() throws(NamePatternError) -> (Int, Int?)? {
    let bounds: (Int, Int?)
    switch current {
    case "*": bounds = (0, nil)
    case "+": bounds = (1, nil)
    case "?": bounds = (0, 1)
    case "{":
      guard let (braces, end) = try braces() else { return nil }
      bounds = braces
      position = end - 1
    default: return nil
    }
    position += 1
    // Lazy and greedy find the same names; possessive does not.
    if current == "?" {
      position += 1
    } else if current == "+" {
      throw unsupported("a possessive quantifier")
    }
    if current == "*" || current == "+" || current == "?" { throw invalid("multiple repeat") }
    if current == "{", try braces() != nil { throw invalid("multiple repeat") }
    return bounds
  }

  /// `{m}`, `{m,}`, `{,n}` or `{m,n}` here, and where it ends; anything else is an ordinary brace.
  func braces() throws(NamePatternError) -> ((Int, Int?), Int)? {
    guard let close = scalars[position...].firstIndex(of: "}") else { return nil }
    let parts = scalars[(position + 1)..<close].split(
      separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), close > position + 1,
      parts.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } })
    else { return nil }
    var numbers: [Int?] = []
    for part in parts {
      var digits = String.UnicodeScalarView()
      digits.append(contentsOf: part)
      if part.isEmpty {
        numbers.append(nil)
      } else if let number = Int(String(digits)), number <= Self.sizeLimit {
        numbers.append(number)
      } else {
        throw .tooLarge
      }
    }
    if parts.count == 1 { return ((numbers[0] ?? 0, numbers[0]), close + 1) }
    if let least = numbers[0], let most = numbers[1], most < least {
      throw invalid("the least repetition is larger than the most")
    }
    return ((numbers[0] ?? 0, numbers[1]), close + 1)
  }
}
