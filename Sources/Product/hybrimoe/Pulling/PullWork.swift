import Downloads

/// The steps of `pull`: list, choose, see whether it fits, download.
struct PullWork: Sendable {
  let reference: ModelReference
  let folder: ModelFolder
  let options: HubOptions
  let display: PullDisplay

  /// - Throws: `DownloadError`, `CommandFailure`, `CancellationError`.
  @Sendable func run() async throws -> PullResult {
    let hub = try Hub(options)
    let result: Result<PullResult, any Error>
    do {
      result = .success(try await download(hub))
    } catch {
      result = .failure(error)
    }
    await hub.shutDown()
    return try result.get()
  }

  private func download(_ hub: Hub) async throws -> PullResult {
    let repository = reference.repository
    let listed = try await hub.ggufFiles(of: repository, tell: display.tell)
    let files = try chosen(from: listed)
    try requireRoom(for: files)
    display.begin(files)
    let download = Download(
      from: hub, repository: repository, into: folder.folder(of: repository), tell: display.tell)
    var paths: [(RemoteFile, String)] = []
    for file in files { paths.append((file, try await download.fetch(file))) }
    return PullResult(reference: reference, path: paths[0].1, files: paths)
  }

  /// The files of the model that the user wants, at least one.
  private func chosen(from listed: [RemoteFile]) throws -> [RemoteFile] {
    let repository = reference.repository
    let models = ModelSelection.models(listed.map { ($0.path, $0.byteCount) })
    guard !models.isEmpty else {
      throw CommandFailure(
        "\(repository) holds no GGUF file. This program runs GGUF files only; find a converted one, "
          + "such as on https://huggingface.co/models?library=gguf&search=\(repository.name).")
    }
    let model: ListedModel
    do {
      model = try ModelSelection.choose(reference.selector, from: models)
    } catch {
      throw CommandFailure(ModelListText(repository).text(error, command: "hybrimoe pull"))
    }
    if let missing = model.missingParts.first {
      throw CommandFailure(
        "\(repository): part \(missing) of \(model.path) is not in the repository, so that the model "
          + "is incomplete.")
    }
    return model.paths.compactMap { path in listed.first { $0.path == path } }
  }

  private func requireRoom(for files: [RemoteFile]) throws {
    do {
      try ModelFolder.requireRoom(for: files, in: folder.folder(of: reference.repository))
    } catch {
      guard case .noRoom(let folder, let needed, let free) = error else { throw error }
      throw CommandFailure(
        "\(reference) does not fit: \(HumanUnits.bytes(needed)) more are needed in '\(folder)', "
          + "\(HumanUnits.bytes(free)) are free. Make room, choose a smaller quantisation, or set "
          + "XDG_DATA_HOME to a folder on another disk.")
    }
  }
}

/// Models to choose from, as a message lists them.
struct ModelListText {
  let repository: RepositoryName
  /// Where they are, for messages; empty for the repository itself.
  let place: String

  init(_ repository: RepositoryName, place: String = "") {
    self.repository = repository
    self.place = place
  }

  /// - Parameter command: what the user has to type before the repository.
  func text(_ error: ModelSelectionError, command: String) -> String {
    let whose = "\(repository)" + (place.isEmpty ? "" : " \(place)")
    let problem =
      switch error {
      case .none(let selector, _): "\(whose) has no '\(TerminalText.safe(selector))'"
      case .several(let selector, _): "'\(TerminalText.safe(selector))' names several models"
      case .undecided: "\(whose) has several models and none in Q4_K_M alone"
      }
    let example = error.models.first?.path ?? "FILE"
    return "\(problem); choose one of\n" + Self.list(error.models)
      + "such as with: \(command) \(repository):\(TerminalText.safe(example))"
  }

  /// A line for each model: its size, its first file.
  static func list(_ models: [ListedModel]) -> String {
    let shown = models.prefix(60).map { model in
      let parts = model.paths.count > 1 ? ", \(model.paths.count) parts" : ""
      let size = HumanUnits.bytes(model.byteCount)
      let padding = String(repeating: " ", count: max(0, 9 - size.count))
      return "  \(padding)\(size)  \(TerminalText.safe(model.path))\(parts)\n"
    }
    let rest = models.count > 60 ? "  … and \(models.count - 60) more\n" : ""
    return shown.joined() + rest
  }
}
