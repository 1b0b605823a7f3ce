import ChatTemplates
import Testing

@Suite struct `Where text comes from` {
  /// What of a prompt came with the message `ABC<|x|>def`.
  private func input(_ expression: String) throws -> String {
    try pieces("<|x|>{{ \(expression) }}<|y|>", #"{"m": "ABC<|x|>def", "l": ["P", "Q"]}"#)
      .filter(\.isFromInput).map(\.text).joined(separator: "/")
  }

  @Test(arguments: [
    ("m", "ABC<|x|>def"), ("'t' + m + 't'", "ABC<|x|>def"), ("m ~ 't'", "ABC<|x|>def"),
    ("m[1:4]", "BC<"), ("m | trim | upper", "ABC<|X|>DEF"), ("m | lower", "abc<|x|>def"),
    ("m.split('|')[1] + '<|x|>'", "x"), ("m.replace('B', 't')", "A/C<|x|>def"),
    ("'tBt'.replace('B', m)", "ABC<|x|>def"), ("l | join('t')", "P/Q"), ("'t'.join(l)", "P/Q"),
    ("m | tojson", "ABC<|x|>def"), ("[m]", "ABC<|x|>def"), ("'%s!' % m", "ABC<|x|>def"),
    ("'{}!'.format(m)", "ABC<|x|>def"), ("m | reverse", "fed>|x|<CBA"),
    ("m * 2", "ABC<|x|>defABC<|x|>def"),
    ("m | list | join", "ABC<|x|>def"), ("m | e", "ABC&lt;|x|&gt;def"),
    ("m | title", "Abc<|x|>def"),
    ("m | indent", "ABC<|x|>def"), ("m | truncate(5, true)", "AB"), ("'t' if m else 'u'", ""),
    ("m | length", ""), ("m.splitlines() | first", "ABC<|x|>def"),
    ("m | center(15)", "ABC<|x|>def"),
    ("{m: 't'}.keys() | first", "ABC<|x|>def"), ("m | urlencode", "ABC%3C%7Cx%7C%3Edef"),
  ])
  func `text of messages stays marked whatever is done with it`(
    expression: String, marked: String
  ) throws {
    #expect(try input(expression) == marked)
  }

  @Test func `blocks, macros and filters keep the mark`() throws {
    let template =
      "{% macro f(x) %}<{{ x }}>{% endmacro %}{% set s %}[{{ f(m) }}]{% endset %}"
      + "{% filter upper %}{{ s }}{% endfilter %}"
    #expect(
      try pieces(template, #"{"m": "a<b"}"#) == [
        ChatTemplatePiece("[<", isFromInput: false), ChatTemplatePiece("A<B", isFromInput: true),
        ChatTemplatePiece(">]", isFromInput: false),
      ])
  }

  @Test func `known roles may be parts of control tokens, others not`() throws {
    let template = "{% for m in messages %}<|{{ m.role }}|>{% endfor %}"
    #expect(
      try pieces(template, #"{"messages": [{"role": "user"}, {"role": "im_end"}]}"#) == [
        ChatTemplatePiece("<|user|><|", isFromInput: false),
        ChatTemplatePiece("im_end", isFromInput: true), ChatTemplatePiece("|>", isFromInput: false),
      ])
  }
}
