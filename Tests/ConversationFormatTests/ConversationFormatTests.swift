import ChatTemplates
import Inference
import OrderedJSON
import Testing
import Tokenizers

@Suite struct `Conversation formats` {
  private let now = ChatTemplateDate(year: 2025, month: 8, day: 5)

  // Template of the bundled model and of Qwen1 conversions without a default system message.
  private let chatML =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    + "+ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}"
    + "{{ '<|im_start|>assistant\\n' }}{% endif %}"

  private func text(_ pieces: [ChatTemplatePiece]) -> String { pieces.map(\.text).joined() }

  /// A tokenizer with two control tokens and one token for each byte.
  private func tokenizer(addsBOS: Bool = false) throws -> Tokenizer {
    let tokens = ["<|im_start|>", "<|im_end|>"] + (0..<256).map { byteLetter(UInt8($0)) }
    var vocabulary = Vocabulary(
      model: "gpt2", pre: "qwen2", tokens: tokens,
      types: [3, 3] + Array(repeating: 1, count: 256), bos: 0, eos: 1)
    vocabulary.addBOS = addsBOS
    return try Tokenizer(vocabulary)
  }

  @Test func `a conversation is written by the template up to the next answer`() throws {
    let format = try ConversationFormat(template: chatML, bos: nil, eos: nil)
    let pieces = try format.render(
      [ChatMessage(.system, "Be brief."), ChatMessage(.user, "  Who? ")], now: now)
    #expect(
      text(pieces)
        == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n  Who? <|im_end|>\n"
        + "<|im_start|>assistant\n")
    #expect(pieces.filter(\.isFromInput).map(\.text) == ["Be brief.", "  Who? "])
  }

  @Test func `templates see the names of tokens, thoughts, tools and options`() throws {
    let format = try ConversationFormat(
      template: "{{ bos_token }}{% for m in messages %}{{ m.reasoning_content }}|{{ m.content }}"
        + "{{ eos_token }}{% endfor %}{{ tools }}{{ x }}{{ strftime_now('%Y-%m-%d') }}",
      bos: "<s>", eos: "</s>")
    let answer = ChatMessage(.assistant, "Hi", reasoning: "hm")
    let pieces = try format.render(
      .array([answer.json]), tools: .array([]), options: [("x", .bool(true))], now: now)
    #expect(text(pieces) == "<s>hm|Hi</s>[]True2025-08-05")
    #expect(text(try format.render([answer], now: now)) == "<s>hm|Hi</s>None2025-08-05")
  }

  @Test func `what a user types never becomes a control token`() throws {
    let tokenizer = try tokenizer()
    let format = try ConversationFormat(template: chatML, tokenizer: tokenizer)
    let pieces = try format.render(
      [ChatMessage(.system, "<|im_start|>"), ChatMessage(.user, "<|im_end|>")], now: now)
    let encoded = tokenizer.encode(pieces)
    #expect(encoded.filter { $0 == 1 }.count == 2, "only the template's own <|im_end|>")
    #expect(encoded.filter { $0 == 0 }.count == 3)
    #expect(try tokenizer.decode(encoded, skipSpecial: false) == text(pieces))
  }

  @Test func `a control token is not read across the seam of template and message`() throws {
    let tokenizer = try tokenizer()
    let format = try ConversationFormat(
      template: "<|im_{{ messages[0].content }}{{ '<|im_' ~ 'end|>' }}", tokenizer: tokenizer)
    let tokens = tokenizer.encode(try format.render([ChatMessage(.user, "end|>")], now: now))
    #expect(tokens.filter { $0 == 1 }.count == 1 && tokens.last == 1)
  }

  @Test func `the token that begins a text is there once`() throws {
    let tokenizer = try tokenizer(addsBOS: true)
    for template in ["{{ bos_token }}x", "x"] {
      let format = try ConversationFormat(template: template, tokenizer: tokenizer)
      #expect(tokenizer.encode(try format.render([], now: now)).filter { $0 == 0 }.count == 1)
    }
  }

  @Test func `a system message without a place is refused`() throws {
    let refusing = try ConversationFormat(
      template: "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}"
        + "{% endif %}{{ m.content }}{% endfor %}", bos: nil, eos: nil)
    #expect(throws: ConversationFormatError.noSystemMessage) {
      try refusing.checkSystemMessage("Be brief.", now: now)
    }
    let ignoring = try ConversationFormat(
      template: "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}",
      bos: nil, eos: nil)
    #expect(throws: ConversationFormatError.noSystemMessage) {
      try ignoring.checkSystemMessage("Be brief.", now: now)
    }
    try ConversationFormat(template: chatML, bos: nil, eos: nil)
      .checkSystemMessage(" Be\n brief. ", now: now)
  }

  @Test func `a wrong template says where`() {
    let error = #expect(throws: ChatTemplateError.self) {
      try ConversationFormat(template: "a\n {% if %}", bos: nil, eos: nil)
    }
    #expect(error?.line == 2)
    #expect(error?.column == 8)
  }

  /// GPT-2's printable letter for a byte.
  private func byteLetter(_ byte: UInt8) -> String {
    let printable = Array(33...126) + Array(161...172) + Array(174...255)
    if printable.contains(Int(byte)) { return String(Unicode.Scalar(byte)) }
    let rank = (0..<Int(byte)).filter { !printable.contains($0) }.count
    return Unicode.Scalar(256 + rank).map { String($0) } ?? ""
  }
}
