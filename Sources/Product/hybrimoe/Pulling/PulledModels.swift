import Downloads
import OrderedJSON

/// Finds the files of a model that was downloaded.
extension PulledModels {
  /// Repositories that are known to hold a model of another owner in this program's format.
  private static let known = [
    "deepseek-v2-lite-chat": "mzwing/DeepSeek-V2-Lite-Chat-GGUF:Q4_K_M"
  ]

  /// The file of a model that was downloaded from a repository, or, where nothing was, from another
  /// owner's of the same model.
  ///
  /// - Throws: `CommandFailure` that says what to type.
  func choice(_ reference: ModelReference) throws -> ModelChoice {
    let wanted = reference.repository
    if !models(wanted).isEmpty {
      return .pulled(try path(reference, in: wanted), from: wanted)
    }
    if let folder, !folder.unfinishedFiles(of: wanted).isEmpty {
      throw CommandFailure(
        "The download of \(wanted) is unfinished; 'hybrimoe pull \(reference)' goes on with it.")
    }
    let others = (folder?.repositories ?? []).filter {
      $0 != wanted && $0.modelName == wanted.modelName && !models($0).isEmpty
    }
    guard let other = others.first else { throw CommandFailure(Self.notThere(reference)) }
    guard others.count == 1 else {
      let names = others.map { "\($0)" }.joined(separator: ", ")
      throw CommandFailure(
        "\(wanted) was downloaded from several repositories (\(names)); name one of them.")
    }
    return .pulled(try path(reference, in: other), from: other)
  }

  /// The downloaded model for a folder that is not there: examples name the folder into which other
  /// programs put a repository, `./DeepSeek-V2-Lite-Chat-GGUF`.
  ///
  /// - Returns: nil where no repository of that name was downloaded.
  /// - Throws: `CommandFailure` where several were, or not one model.
  func choice(folder path: String) throws -> ModelChoice? {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let found = (folder?.repositories ?? []).filter { $0.name == name && !models($0).isEmpty }
    guard let only = found.first else { return nil }
    guard found.count == 1, let reference = ModelReference("\(only)") else {
      let names = found.map { "\($0)" }.joined(separator: ", ")
      throw CommandFailure(
        "There is no folder '\(path)', and several repositories of that name were downloaded "
          + "(\(names)); name one of them.")
    }
    return .pulled(try self.path(reference, in: only), from: only)
  }

  private func models(_ repository: RepositoryName) -> [ListedModel] {
    ModelSelection.models(folder?.files(of: repository) ?? [])
  }

  private func path(_ reference: ModelReference, in repository: RepositoryName) throws -> String {
    let models = models(repository)
    let model: ListedModel
    do {
      model =
        models.count == 1 && reference.selector == nil
        ? models[0] : try ModelSelection.choose(reference.selector, from: models)
    } catch {
      let pull =
        reference.selector.map { " Or download it: hybrimoe pull \(repository):\($0)" } ?? ""
      throw CommandFailure(
        ModelListText(repository, place: "among what was downloaded")
          .text(error, command: "--model") + "." + pull)
    }
    guard model.missingParts.isEmpty, let folder else {
      throw CommandFailure(
        "The download of \(model.path) is unfinished; 'hybrimoe pull \(repository):"
          + "\(model.path)' goes on with it.")
    }
    return "\(folder.folder(of: repository))/\(model.path)"
  }

  private static func notThere(_ reference: ModelReference) -> String {
    let repository = reference.repository
    let start = "There is no file '\(reference)', and no model of that name was downloaded. "
    if repository.modelName != repository.name.lowercased() {
      return start + "Download it: hybrimoe pull \(reference)"
    }
    if let known = known[repository.modelName] {
      return start + "Download it: hybrimoe pull \(known)"
    }
    return start
      + "Find a repository with its GGUF files, such as on https://huggingface.co/models?library=gguf"
      + "&search=\(repository.name), and download it: hybrimoe pull OWNER/NAME:Q4_K_M"
  }
}

/// The models that `pull` has brought here.
struct PulledModels {
  /// nil where the environment names no home.
  let folder: ModelFolder?

  init(_ folder: ModelFolder?) { self.folder = folder }

  /// Lists them on standard output.
  func show(asJSON: Bool) throws {
    guard let folder else {
      throw CommandFailure("There is no folder for models; set XDG_DATA_HOME or HOME.")
    }
    var text = ""
    var list: [JSONValue] = []
    for repository in folder.repositories {
      let place = folder.folder(of: repository)
      for model in ModelSelection.models(folder.files(of: repository)) {
        let size = HumanUnits.bytes(model.byteCount)
        let missing = model.missingParts.isEmpty ? "" : " (parts are missing)"
        text += "\(size)  \(repository):\(TerminalText.safe(model.path))\(missing)\n"
        list.append(
          .object([
            ("repository", .string("\(repository)")), ("path", .string("\(place)/\(model.path)")),
            ("bytes", .integer(model.byteCount)), ("whole", .bool(model.missingParts.isEmpty)),
          ]))
      }
      for part in folder.unfinishedFiles(of: repository) {
        text +=
          "\(HumanUnits.bytes(part.byteCount))  \(repository):"
          + "\(TerminalText.safe(part.path)) (unfinished)\n"
        list.append(
          .object([
            ("repository", .string("\(repository)")), ("path", .string("\(place)/\(part.path)")),
            ("bytes", .integer(part.byteCount)), ("whole", .bool(false)),
          ]))
      }
    }
    if asJSON {
      let object = JSONValue.object([("folder", .string(folder.path)), ("models", .array(list))])
      return try OutputStream.standardOutput.write(object.text + "\n")
    }
    try OutputStream.standardOutput.write(
      text.isEmpty ? "No models in \(folder.path)\n" : text + "in \(folder.path)\n")
  }
}
