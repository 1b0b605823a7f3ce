import ArgumentParser

/// Tells what is inside a model file of any architecture; reads its header only.
struct Inspect: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is inside a GGUF file: metadata, sizes, experts.")

  @Argument(help: .init("A GGUF file (default: the bundled model).", valueName: "file"))
  var path: String?

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions

  func validate() throws {
    if let path, let other = model.ggufPath ?? model.model ?? model.modelPath, path != other {
      throw ValidationError("Two files are named, '\(path)' and '\(other)'; name one of them.")
    }
  }

  func run() throws {
    _ = looking.console
    var options = model
    options.model = path ?? model.model
    var report = SurveyReport(try options.location().open())
    report.width = TerminalText.width
    try OutputStream.standardOutput.write(looking.json ? report.json.text + "\n" : report.text)
  }
}
