import ArgumentParser
import Downloads
import OrderedJSON

/// Downloads a model; the only command that uses the network.
struct Pull: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Download a model from Hugging Face.",
    discussion: """
      REPOSITORY:QUANTISATION, such as mzwing/DeepSeek-V2-Lite-Chat-GGUF:Q4_K_M, or REPOSITORY:FILE; \
      without either, the Q4_K_M or the only model. What was interrupted goes on where it was, and \
      each file's SHA-256 is checked. --model with the same words uses the model then. For private \
      and restricted repositories set HF_TOKEN.
      """)

  @Argument(help: .init("What to download.", valueName: "repository[:quantisation]"))
  var reference: String?

  @Flag(help: "List the models that are there, and what is unfinished; uses no network.")
  var list = false

  @Option(
    parsing: .unconditional,
    help: .init(
      "A mirror's address (default: $HF_ENDPOINT, else https://huggingface.co).", valueName: "url"))
  var hubUrl: String?

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func validate() throws {
    if list {
      guard reference == nil else {
        throw ValidationError("--list lists what is there; give no repository with it.")
      }
      return
    }
    guard let reference else {
      throw ValidationError(
        "What to download is missing, such as mzwing/DeepSeek-V2-Lite-Chat-GGUF:Q4_K_M.")
    }
    guard ModelReference(reference) != nil else {
      throw ValidationError(
        "'\(reference)' is no repository; it must be like OWNER/NAME or OWNER/NAME:QUANTISATION.")
    }
  }

  func run() throws {
    let folder = ModelFolder(environment: Environment.all)
    if list { return try PulledModels(folder).show(asJSON: looking.json) }
    guard let folder else {
      throw CommandFailure("There is no folder for models; set XDG_DATA_HOME or HOME.")
    }
    guard let reference = reference.flatMap(ModelReference.init) else { return }
    var options = HubOptions()
    options.address =
      hubUrl ?? Environment.value("HF_ENDPOINT").flatMap { $0.isEmpty ? nil : $0 }
      ?? options.address
    options.token = Environment.value("HF_TOKEN")
    let display = PullDisplay(console: looking.console, reference: "\(reference)")
    let work = PullWork(reference: reference, folder: folder, options: options, display: display)
    Interrupts.deferToPolling()
    let result: PullResult
    do {
      result = try BlockingTask.run(
        whileWaiting: {
          display.refresh()
          return !Interrupts.isWaiting
        }, work.run)
    } catch is CancellationError {
      display.end()
      looking.console.note(
        "Interrupted. What is there is kept; 'hybrimoe pull \(reference)' goes on from it.")
      throw ExitCode(Interrupts.exitCode)
    } catch {
      display.end()
      throw error
    }
    display.end()
    try OutputStream.standardOutput.write(
      looking.json ? result.json.text + "\n" : "\(result.path)\n")
  }
}

/// What came of a download.
struct PullResult: Sendable {
  let reference: ModelReference
  /// The file that stands for the model.
  let path: String
  let files: [(file: RemoteFile, path: String)]

  var json: JSONValue {
    let list = files.map { entry in
      JSONValue.object([
        ("path", .string(entry.path)), ("bytes", .integer(entry.file.byteCount)),
        ("sha256", .string(entry.file.sha256)),
      ])
    }
    return .object([
      ("repository", .string("\(reference.repository)")), ("path", .string(path)),
      ("files", .array(list)),
      ("bytes", .integer(files.reduce(0) { $0 + $1.file.byteCount })),
    ])
  }
}
