import RandomNumbers
import Testing

@testable import Sampling

@Suite struct `Stop matcher` {
  /// Feeds the pieces and returns all text that came through and what stopped it.
  private func run(_ pieces: [String], stops: [String]) throws -> StopMatcher.Outcome {
    var matcher = try StopMatcher(stops)
    var result = StopMatcher.Outcome(text: "", stopString: nil)
    for piece in pieces {
      let outcome = matcher.feed(piece)
      result.text += outcome.text
      if let stop = outcome.stopString {
        #expect(result.stopString == nil, "stopped twice")
        result.stopString = stop
      }
    }
    result.text += matcher.finish()
    return result
  }

  /// The rule itself: the stop string whose end comes first, the longest of those.
  private func reference(_ text: String, stops: [String]) -> StopMatcher.Outcome {
    let bytes = Array(text.utf8)
    for end in 0...bytes.count {
      let ending = stops.filter { bytes[..<end].suffix($0.utf8.count).elementsEqual($0.utf8) }
      if let stop = ending.max(by: { $0.utf8.count < $1.utf8.count }) {
        let text = String(decoding: bytes[..<(end - stop.utf8.count)], as: UTF8.self)
        return .init(text: text, stopString: stop)
      }
    }
    return .init(text: text, stopString: nil)
  }

  @Test func `a stop string cut by tokens is found and not shown`() throws {
    var matcher = try StopMatcher(["</answer>"])
    #expect(matcher.feed("Yes.</") == .init(text: "Yes.", stopString: nil))
    #expect(matcher.feed("ans") == .init(text: "", stopString: nil))
    #expect(matcher.feed("wer> and more") == .init(text: "", stopString: "</answer>"))
    #expect(matcher.feed("later") == .init(text: "", stopString: nil))
    #expect(matcher.finish() == "")
  }

  @Test func `held text comes out when it proves harmless`() throws {
    var matcher = try StopMatcher(["User:"])
    #expect(matcher.feed("Us") == .init(text: "", stopString: nil))
    #expect(matcher.feed("ual") == .init(text: "Usual", stopString: nil))
    #expect(matcher.feed(" User") == .init(text: " ", stopString: nil))
    #expect(matcher.finish() == "User")
    #expect(matcher.finish() == "")
  }

  @Test func `without stop strings everything comes through at once`() throws {
    var matcher = try StopMatcher([])
    #expect(matcher.feed("a\u{301}") == .init(text: "a\u{301}", stopString: nil))
    #expect(matcher.finish() == "")
  }

  @Test func `an empty stop string is refused by its position`() {
    #expect(throws: SamplingError.emptyStopString(position: 1)) { try StopMatcher(["a", ""]) }
  }

  @Test func `a stop string that repeats itself is found at its first end`() throws {
    #expect(try run(["aab", "aaab"], stops: ["aaab"]) == .init(text: "aab", stopString: "aaab"))
    #expect(try run(["abab", "ac"], stops: ["abac"]) == .init(text: "ab", stopString: "abac"))
  }

  @Test func `of two stop strings that end together the longer one counts`() throws {
    #expect(try run(["xx\n\nUser"], stops: ["User", "\n\nUser"]).text == "xx")
  }

  @Test func `a shorter stop string that is complete first ends the answer`() throws {
    #expect(try run(["abcd"], stops: ["abcd", "bc"]) == .init(text: "a", stopString: "bc"))
  }

  @Test func `text is held back at whole characters`() throws {
    // Both begin with the bytes F0 9F 98: the matcher must not cut between them.
    var matcher = try StopMatcher(["😀!"])
    #expect(matcher.feed("ok 😁") == .init(text: "ok 😁", stopString: nil))
    #expect(matcher.feed("😀") == .init(text: "", stopString: nil))
    #expect(matcher.feed("?") == .init(text: "😀?", stopString: nil))
    #expect(matcher.feed("日本😀!") == .init(text: "日本", stopString: "😀!"))
  }

  @Test func `a combining mark after a stop string does not hide it`() throws {
    #expect(try run(["abe", "\u{301}"], stops: ["e"]) == .init(text: "ab", stopString: "e"))
  }

  @Test func `random texts, stop strings and cuts equal the slow reference`() throws {
    var random = RandomSource(seed: 21)
    let alphabet = ["a", "b", "é", "e", "日", "😀", "😁", "\n"]
    func text(_ length: Int, letters: Int) -> String {
      (0..<length).map { _ in alphabet[Int(random.next() % UInt64(letters))] }.joined()
    }
    var stopped = 0
    for round in 0..<3000 {
      let letters = 2 + Int(random.next() % 7)
      let stops = (0..<Int(random.next() % 4)).map { _ in
        text(1 + Int(random.next() % 4), letters: letters)
      }
      let whole = text(Int(random.next() % 30), letters: letters)
      var pieces = [""]
      for scalar in whole.unicodeScalars {
        if random.next() % 3 == 0 { pieces.append("") }
        pieces[pieces.count - 1].unicodeScalars.append(scalar)
      }
      let expected = reference(whole, stops: stops)
      stopped += expected.stopString == nil ? 0 : 1
      #expect(
        try run(pieces, stops: stops) == expected, "seed 21, round \(round): \(pieces) \(stops)")
    }
    #expect(stopped > 500 && stopped < 2900, "\(stopped) of 3000 rounds stop")
  }

  @Test func `nothing harmless is held back`() throws {
    var random = RandomSource(seed: 22)
    for _ in 0..<300 {
      let stop = ["abab", "aab", "bbba"][Int(random.next() % 3)]
      var matcher = try StopMatcher([stop])
      var fed = ""
      var shown = ""
      for _ in 0..<20 {
        let piece = random.next() % 2 == 0 ? "a" : "b"
        fed += piece
        let outcome = matcher.feed(piece)
        shown += outcome.text
        if outcome.stopString != nil { break }
        let held = String(fed.dropFirst(shown.count))
        #expect(stop.hasPrefix(held), "held \(held) is no beginning of \(stop)")
      }
    }
  }
}
