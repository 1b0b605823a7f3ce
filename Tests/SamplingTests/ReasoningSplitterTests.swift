import Sampling
import Testing

@Suite struct `Reasoning` {
  private let think = ReasoningMarks.enclosed(opening: "<think>", closing: "</think>")

  /// Thoughts and answer of a text that comes in pieces of some length.
  private func split(
    _ text: String, _ marks: ReasoningMarks?, end: String = "", length: Int
  ) -> [String] {
    var splitter = ReasoningSplitter(marks, promptEnd: end)
    var parts: [ReasoningSplitter.Part] = []
    var rest = Substring(text)
    while !rest.isEmpty {
      parts += splitter.feed(String(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    parts += splitter.finish()
    return [true, false].map { kind in
      parts.filter { $0.isReasoning == kind }.map(\.text).joined()
    }
  }

  @Test(arguments: [1, 2, 3, 5, 100])
  func `marks are found however the text is cut`(length: Int) {
    #expect(
      split("<think>\nSo 2 < 3.\n</think>\n\nYes <b>", think, length: length)
        == ["So 2 < 3.\n", "Yes <b>"])
    #expect(split("No marks, but <thin", think, length: length) == ["", "No marks, but <thin"])
    #expect(split("cut off", think, end: "<|a|><think>\n", length: length) == ["cut off", ""])
    #expect(split("hm\n</think>\nSo.", think, end: "<think>", length: length) == ["hm\n", "So."])
    #expect(split("<think></think>plain", nil, length: length) == ["", "<think></think>plain"])
  }

  @Test(arguments: [1, 4, 100])
  func `gpt-oss answers in its final channel`(length: Int) {
    #expect(
      split(
        "<|channel|>analysis<|message|>They say hi.<|end|><|start|>assistant"
          + "<|channel|>final<|message|>Hello!", .channels, length: length)
        == ["They say hi.", "Hello!"])
    #expect(split("<|channel|>final<|message|>Hello", .channels, length: length) == ["", "Hello"])
    #expect(
      split("<|channel|>commentary to=f <|constrain|>json<|message|>{}", .channels, length: length)
        == ["{}", ""])
    #expect(split("plain text", .channels, length: length) == ["", "plain text"])
  }

  @Test func `a template tells its marks`() {
    #expect(ReasoningMarks(template: "{{ content.split('</think>')[-1] }}") == think)
    #expect(ReasoningMarks(template: "<|start|>a<|channel|>final<|message|>") == .channels)
    #expect(
      ReasoningMarks(template: "[THINK]x[/THINK]")
        == .enclosed(opening: "[THINK]", closing: "[/THINK]"))
    #expect(ReasoningMarks(template: "{{ messages }}") == nil)
    #expect(think.tokenNames == ["<think>", "</think>"])
  }

  @Test func `a whole text is parted at once`() {
    let (reasoning, answer) = ReasoningSplitter.split("<think>a</think>b", think)
    #expect(reasoning == "a" && answer == "b")
  }
}
