import ArgumentParser
import FoundationEssentials

/// The files that a command is to write, checked before anything is computed.
enum OutputChoice {
  /// Refuses files that would spoil each other, what is read, or a result on standard output.
  ///
  /// - Parameters:
  ///   - files: by option, such as `--svg`.
  ///   - input: a file that the command reads, in the words of its option.
  /// - Throws: `ValidationError` naming the options.
  static func check(
    _ files: [(option: String, path: String)], input: (option: String, path: String)? = nil
  ) throws {
    if let file = files.first(where: { $0.path == "-" }) {
      throw ValidationError(
        "Standard output is taken by the result; name a file with \(file.option).")
    }
    var seen: [String: String] = [:]
    if let input, input.path != "-" { seen[place(input.path)] = input.option }
    for (option, path) in files where !path.hasPrefix("/dev/") {
      if let other = seen.updateValue(option, forKey: place(path)) {
        throw ValidationError("\(other) and \(option) name the same file '\(path)'.")
      }
    }
  }

  // Where a file really is, or would be.
  private static func place(_ path: String) -> String {
    URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }
}
