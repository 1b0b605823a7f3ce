import Placement
import TestSupport
import Testing

@Suite struct `Patterns of module names` {
  /// What Python 3.11's `re.search` says.
  static let searches: [(pattern: String, name: String, found: Bool)] = [
    ("^model\\.layers\\.(0|[1-7])\\.mlp\\.experts$", "model.layers.7.mlp.experts", true),
    ("^model\\.layers\\.(0|[1-7])\\.mlp\\.experts$", "model.layers.17.mlp.experts", false),
    ("^model\\.layers\\.(?!.*self_attn).*$", "model.layers.3.mlp.gate", true),
    ("^model\\.layers\\.(?!.*self_attn).*$", "model.layers.3.self_attn.q_proj", false),
    ("^model.embed_tokens", "modelXembed_tokens", true),
    ("(^model.norm)|(^lm_head)", "lm_head", true),
    ("(^model.norm)|(^lm_head)", "x.lm_head", false), ("", "", true), ("^$", "", true),
    ("^$", "a", false), ("a{2}b", "aab", true), ("^a{2}b", "aaab", false), ("a{,1}b", "b", true),
    ("x{", "x{", true), ("x{1,y}", "x{1,y}", true), ("[]a]+$", "x]a]", true),
    ("[^]a]", "]a", false),
    ("[a-c-]", "-", true), ("\\bmlp\\b", "a.mlp.b", true), ("\\bmlp\\b", "a_mlp", false),
    ("^(a|ab)(c|bcd)$", "abcd", true), ("^(a*)*b$", "aaab", true), ("^(a|)+$", "aa", true),
    ("(?=.*proj)q", "q_proj", true), ("(?P<layer>\\d+)", "12", true), ("a.c", "a\nc", false),
    ("c$", "c\n", true), ("c\\Z", "c\n", false), ("\\w\\W\\s\\S\\d\\D", "é. x1a", true),
    ("a??b", "b", true), ("(?:ab)+?$", "xabab", true), ("\\B", "", false), ("^*a", "a", true),
  ]

  @Test(arguments: searches)
  func `find what Python finds`(_ search: (pattern: String, name: String, found: Bool)) throws {
    let pattern = try NamePattern(search.pattern)
    #expect(pattern.matches(in: search.name) == search.found)
  }

  @Test(arguments: [
    "(", ")", "[a", "a**", "*a", "a|*", "(?<=a)b", "(?<!a)b", "(a)\\1", "(?i)a", "\\q", "\\x41",
    "a\\",
    "a{2}{3}", "a{3,2}", "[z-a]", "[\\d-z]", "(?P=n)", "(?P<1>a)", "(?>a)", "a++", "a{99999}",
    "((a{60}){60}){60}", "(?=(?!a))", "(?#x)", "(?P<n", "(?",
  ])
  func `that mean something else, or nothing, are refused`(_ text: String) {
    #expect(throws: NamePatternError.self) { try NamePattern(text) }
  }

  @Test func `nesting without end is refused`() {
    #expect(throws: NamePatternError.tooLarge) {
      try NamePattern(String(repeating: "(", count: 100_000))
    }
  }

  @Test func `a pattern that would keep a backtracking matcher busy ends at once`() throws {
    let pattern = try NamePattern("^(a+)+(a|aa)*b$")
    #expect(!pattern.matches(in: String(repeating: "a", count: 200)))
  }

  @Test func `made patterns and names never trap`() {
    var random = SeededGenerator(seed: 11)
    let marks = Array("ab.*+?|()[]{}^$\\dw-,1=!:<P")
    for _ in 0..<5000 {
      let text = String(
        (0..<Int.random(in: 0...12, using: &random)).map { _ in
          marks.randomElement(using: &random) ?? "a"
        })
      guard let pattern = try? NamePattern(text) else { continue }
      _ = pattern.matches(in: "ab.ba_1")
    }
  }
}
