import Downloads
import FoundationEssentials

/// Where the model is, found from what the user said.
enum ModelChoice: Equatable {
  case bundled
  case file(String)
  /// A file that was downloaded, and the repository that it is from.
  case pulled(String, from: RepositoryName)
}

extension ModelOptions {
  /// What the user named.
  var named: String? { ggufPath ?? model ?? modelPath }

  /// The file that the options name, or the bundled model where they name none.
  ///
  /// What is there as a file or a directory is that; other names of the form OWNER/NAME are downloaded
  /// models, and so are folders that are not there but have a downloaded repository's name.
  /// - Throws: `CommandFailure` where nothing is there, or not one model.
  func choice(environment: [String: String] = Environment.all) throws -> ModelChoice {
    guard let path = named else { return .bundled }
    var isDirectory = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
      return .file(isDirectory ? try Self.onlyModel(in: path) : path)
    }
    let pulled = PulledModels(ModelFolder(environment: environment))
    guard let reference = ModelReference(path),
      reference.selector != nil || !path.hasSuffix(".gguf")
    else {
      if let choice = try pulled.choice(folder: path) { return choice }
      throw CommandFailure(
        "There is no file '\(path)'. Give --model the path of a GGUF file, a downloaded model such as "
          + "OWNER/NAME:Q4_K_M, or leave it out to use the bundled model.")
    }
    return try pulled.choice(reference)
  }

  /// The one model in a directory; the parts of a split model count as one.
  static func onlyModel(in directory: String) throws -> String {
    guard (try? FileManager.default.contentsOfDirectory(atPath: directory)) != nil else {
      throw CommandFailure("Cannot read the directory '\(directory)'.")
    }
    var models = ModelSelection.models(ModelFolder.files(in: directory, depth: 1))
    // Large models have a folder for each quantisation.
    if models.isEmpty { models = ModelSelection.models(ModelFolder.files(in: directory)) }
    guard let only = models.first else {
      throw CommandFailure(
        "The directory '\(directory)' holds no GGUF file. This program runs GGUF files only: "
          + "convert the model or fetch a converted one, such as with 'hybrimoe pull'.")
    }
    guard models.count == 1 else {
      throw CommandFailure(
        "The directory '\(directory)' holds \(models.count) models; give --model the path of one:\n"
          + TerminalText.withoutLineBreak(ModelListText.list(models)))
    }
    return directory.hasSuffix("/") ? directory + only.path : "\(directory)/\(only.path)"
  }
}
