import RandomNumbers
import Testing

@testable import Sampling

@Suite struct `Finding repetitions` {
  private func finder(
    _ tokens: [Int], allowed: Int = 1, last: Int = -1, breakers: [String] = [],
    text: @escaping @Sendable (Int) -> TokenText = { .plain([UInt8(truncatingIfNeeded: $0)]) }
  ) throws -> RepetitionFinder {
    let penalty = try DRYPenalty(
      multiplier: 1, allowedLength: allowed, lastCount: last, breakers: breakers)
    var finder = RepetitionFinder(penalty, text: text)
    for token in tokens { finder.accept(token) }
    finder.search()
    return finder
  }

  @Test func `each token that went on with the last tokens has its longest repetition`() throws {
    // The last tokens, 1 2 3, were followed by 3 after three equal ones, by 9 after two.
    let tokens = [1, 2, 3, 3, 2, 3, 9, 1, 2, 3]
    #expect(try finder(tokens).longest == [3: 3, 2: 1, 9: 2])
    #expect(try finder(tokens, allowed: 2).longest == [3: 3, 9: 2])
    #expect(try finder(tokens, allowed: 4).longest == [:])
  }

  @Test func `a repetition may overlap what it repeats`() throws {
    #expect(try finder([5, 5, 5, 5]).longest == [5: 3])
    #expect(try finder([1, 2, 1, 2, 1]).longest == [2: 3])
  }

  @Test func `only the last tokens are searched`() throws {
    let tokens = [1, 2, 3, 9, 1, 2, 3, 7, 2, 3]
    #expect(try finder(tokens).longest == [9: 2, 7: 2])
    #expect(try finder(tokens, last: 7).longest == [7: 2])
    #expect(try finder(tokens, last: 4).longest == [7: 1])
    #expect(try finder(tokens, last: 1).longest == [:])
  }

  @Test func `breakers end sequences and are not penalised, in whatever tokens they are`() throws {
    func longest(_ text: String, breakers: [String]) throws -> [Int32: Int] {
      try finder(text.utf8.map(Int.init), breakers: breakers).longest
    }
    let a = Int32(UInt8(ascii: "a"))
    let colon = Int32(UInt8(ascii: ":"))
    #expect(try longest("xy:a xy:", breakers: []) == [a: 3])
    #expect(try longest("xy:a xy:", breakers: [":"]) == [:])
    #expect(try longest("xy:a xy", breakers: [":"]) == [:])
    #expect(try longest("xy:a xy", breakers: []) == [colon: 2])
    // The breaker lies in two tokens: none of them is one by itself.
    #expect(try longest("b:axyb b:axy", breakers: ["b:"])[Int32(UInt8(ascii: "b"))] == 3)
    // A control token breaks and is not penalised, whatever its text.
    let control = try finder([1, 2, 0, 1, 2]) { $0 == 0 ? .control : .plain([1]) }
    #expect(control.longest.isEmpty)
  }

  @Test func `a breaker that overlaps itself ends where its last copy does`() throws {
    // Behind the second "axa", which shares its first letter with the first, only "b" is free.
    let tokens = "cab axaxab".utf8.map { Int($0) }
    let space = Int32(UInt8(ascii: " "))
    #expect(try finder(tokens, breakers: ["axa"]).longest == [space: 1])
    #expect(try finder(tokens).longest == [space: 2])
  }

  @Test func `a breaker is not found across a control token`() throws {
    let split = try finder([6, 9, 5, 0, 6], breakers: ["\u{5}\u{6}"]) {
      $0 == 0 ? .control : .plain([UInt8($0)])
    }
    #expect(split.longest == [9: 1])
    let whole = try finder([6, 9, 5, 6], breakers: ["\u{5}\u{6}"])
    #expect(whole.longest == [:])
  }

  @Test func `random texts equal the brute force`() throws {
    var random = RandomSource(seed: 31)
    for round in 0..<300 {
      let kinds = 2 + random.next() % 3
      let tokens = (0..<Int(random.next() % 60)).map { _ in Int(random.next() % kinds) }
      let last = [-1, 3, 10, 100][Int(random.next() % 4)]
      let window = last < 0 ? tokens[...] : tokens.suffix(last)
      var expected: [Int32: Int] = [:]
      for place in window.indices.dropFirst() {
        let before = window[window.startIndex..<place]
        let length = (0...before.count).last { before.suffix($0) == window.suffix($0) } ?? 0
        let token = Int32(window[place])
        if length > 0 { expected[token] = max(length, expected[token] ?? 0) }
      }
      #expect(
        try finder(tokens, last: last).longest == expected, "seed 31, round \(round): \(tokens)")
    }
  }

  @Test func `a long loop is searched in one pass`() throws {
    // Compared place by place this takes 10^9 steps.
    let tokens = (0..<100_000).map { $0 % 10 }
    #expect(try finder(tokens).longest == [0: 99_990])
  }
}
