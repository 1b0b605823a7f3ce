import Foundation
import Testing

@Suite struct `Template` {
  private let messages =
    #"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hé <|im_end|>"}]"#

  @Test func `the bundled model's template writes a conversation`() throws {
    let outcome = try Program.run("template", "--messages", "-", input: messages)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      outcome.output
        == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHé <|im_end|><|im_end|>\n"
        + "<|im_start|>assistant\n")
    let closed = try Program.run(
      "template", "--messages", "-", "--no-generation-prompt", "--json", input: messages)
    let prompt = try #require(closed.json["prompt"] as? String)
    #expect(outcome.output == prompt + "<|im_start|>assistant\n")
  }

  @Test func `a file's template sees tools and further variables`() throws {
    let folder = try TemporaryFolder()
    let template = try folder.write(
      "x.jinja", "{{ tools | tojson }}{{ bos_token }}{{ n }}{{ messages | length }}\n")
    let tools = try folder.write("tools.json", #"[{"name":"é"}]"#)
    let outcome = try Program.run(
      "template", "--chat-template-file", template.path, "--messages", "-", "--tools", tools.path,
      "--kwargs", #"{"n":1.0}"#, input: messages)
    #expect(outcome.output == #"[{"name": "é"}]1.02"#, "\(outcome.error)")
  }

  @Test func `many cases are answered in one go`() throws {
    let cases = """
      {"template":"{{ a }}{{ strftime_now('%Y') }}","variables":{"a":1},"now":[2025,8,5,0,0,0]}
      {"variables":{"a":2},"now":[2025,8,5,0,0,0]}
      {"template":"{{ x.y }}","variables":{},"now":[2025,8,5,0,0,0]}
      """
    let lines = try Program.run("template", "--cases", "-", input: cases).output
      .split(separator: "\n")
    #expect(lines.prefix(2) == [#"{"text":"12025"}"#, #"{"text":"22025"}"#])
    #expect(lines.last?.contains(#""line":1,"column":5"#) == true)
  }

  @Test(arguments: [
    (["--messages", "-"], "{}", "JSON array"), (["--messages", "-"], "[", "no JSON"),
    ([], "[]", "--messages"), (["--messages", "-", "--kwargs", "[]"], "[]", "JSON object"),
    (["--messages", "-", "--chat-template-file", "/dev/null"], "[]", "empty"),
    (["--messages", "/nonexistent/x"], "", "/nonexistent/x"),
  ])
  func `what is wrong is said`(arguments: [String], input: String, words: String) throws {
    let outcome = try Program.run(["template"] + arguments, input: input)
    #expect(outcome.code != 0)
    #expect(outcome.output.isEmpty)
    #expect(outcome.error.contains(words), "\(outcome.error)")
  }

  @Test func `a template that fails says where`() throws {
    let folder = try TemporaryFolder()
    for (text, words) in [("{% if %}", "line 1, column 7"), ("\n{{ x.y }}", "line 2, column 5")] {
      let template = try folder.write("x.jinja", text)
      let outcome = try Program.run(
        "template", "--chat-template-file", template.path, "--messages", "-", input: messages)
      #expect(outcome.code == 1)
      #expect(outcome.error.contains(words), "\(outcome.error)")
    }
  }
}
