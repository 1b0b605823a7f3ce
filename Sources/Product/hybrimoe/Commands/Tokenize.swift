import ArgumentParser
import OrderedJSON
import Tokenizers

/// Turns text into token numbers with the vocabulary of any GGUF file.
struct Tokenize: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn text into token numbers.",
    discussion: "Works with any GGUF file that has a vocabulary, also with one that has no weights."
  )

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Text") var prompt: PromptOptions

  @Flag(help: "Add the tokens that begin and end a text where the vocabulary asks for them.")
  var addSpecial = false

  @Flag(help: "Read control tokens that are written in the text, such as <|im_end|>.")
  var parseSpecial = false

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let console = looking.console
    let text = try prompt.text()
    let tokenizer = try model.tokenizer(console: console)
    let tokens = tokenizer.encode(text, addSpecial: addSpecial, parseSpecial: parseSpecial)
    let output = OutputStream.standardOutput
    if looking.json {
      try output.write(JSONValue.object([("tokens", .integers(tokens))]).text + "\n")
    } else {
      var table = TextTable([("", .right), ("", .left)])
      for token in tokens {
        let bytes = tokenizer.bytes(of: token) ?? []
        let text = tokenizer.isControl(token) ? tokenizer.text(of: token) ?? "" : Self.text(bytes)
        table.add("\(token)", "'\(TerminalText.safe(text))'")
      }
      try output.write(table.text)
    }
    if looking.stats { console.note("\(tokens.count) tokens from \(text.utf8.count) bytes") }
  }

  /// A token's text; bytes that are no character of their own are shown as numbers.
  private static func text(_ bytes: [UInt8]) -> String {
    String(validating: bytes, as: UTF8.self)
      ?? bytes.map { "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">" }
      .joined()
  }
}
