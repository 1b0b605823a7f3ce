import ArgumentParser
import OrderedJSON
import Tokenizers

/// Turns token numbers into text with the vocabulary of any GGUF file.
struct Detokenize: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn token numbers into text.",
    discussion: """
      The numbers are separated by commas or spaces, or stand in the JSON that 'tokenize --json' \
      prints. The text is printed exactly, with a line break after it on a terminal only.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Text") var prompt: PromptOptions

  @Option(
    parsing: .unconditional, help: .init("The token numbers: 8,56,166.", valueName: "numbers"))
  var tokens: TokenList?

  @Flag(help: "Leave nothing out; the same as --parse-special.")
  var addSpecial = false

  @Flag(help: "Write control tokens, such as <|im_end|>, as text instead of leaving them out.")
  var parseSpecial = false

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func validate() throws {
    guard tokens == nil || !prompt.isGiven else {
      throw ValidationError("Give the numbers with --tokens, --prompt or --file, only one.")
    }
  }

  func run() throws {
    guard tokens != nil || prompt.isGiven else {
      throw ValidationError(
        "Give the numbers with --tokens, --prompt or --file; --file - reads standard input.")
    }
    let console = looking.console
    let tokens = try givenTokens()
    let tokenizer = try model.tokenizer(console: console)
    let text = try tokenizer.decode(tokens, skipSpecial: !(parseSpecial || addSpecial))
    let output = OutputStream.standardOutput
    if looking.json {
      try output.write(JSONValue.object([("text", .string(text))]).text + "\n")
    } else {
      try output.write(output.isTerminal ? text + "\n" : text)
    }
  }

  private func givenTokens() throws -> [Int] {
    if let tokens { return tokens.tokens }
    let text = try prompt.text()
    guard let list = TokenList.parse(text) else {
      throw CommandFailure(
        "'\(TerminalText.safe(String(text.prefix(60))))' is no list of token numbers; "
          + "write them as 8,56,166.")
    }
    return list
  }
}
