import FoundationEssentials
import Glibc

/// One option's value that came from the environment or the configuration file.
struct Setting: Equatable {
  /// The option's long name, in any of its spellings, without the dashes.
  var name: String
  var value: String
  /// Where it stands, for messages: `HYBRIMOE_SEED` or `/home/a/.config/hybrimoe/config, line 3`.
  var source: String
}

/// A wrong setting; the message names where it stands. Exit code 64.
struct SettingFailure: Error, CustomStringConvertible, Equatable {
  let description: String
}

/// The file `$XDG_CONFIG_HOME/hybrimoe/config` (by default `~/.config/hybrimoe/config`).
///
/// Each line is `name = value`, the name being an option's long name without dashes in front, as in
/// `temperature = 0.5` or `json = true`. Blank lines and lines that begin with `#` are skipped. A
/// value may stand in double quotes, to keep spaces at its ends; there `\n`, `\t`, `\"` and `\\` are
/// a line break, a tab, a quote and a backslash. An option that may be repeated may be set on
/// several lines.
enum ConfigurationFile {
  /// Where the file would be, or nil where the environment names no home.
  static func path(environment: [String: String]) -> String? {
    Places(environment: environment).configuration.map { $0 + "/config" }
  }

  /// The settings of the file; none where there is no file.
  static func settings(environment: [String: String]) throws -> [Setting] {
    guard let path = path(environment: environment),
      FileManager.default.fileExists(atPath: path)
    else { return [] }
    guard isRegularFile(path) else {
      throw SettingFailure(description: "\(path) is not a file with settings; move it away.")
    }
    return try parse(InputFile.description(path), path: path)
  }

  /// Reading a pipe would wait for somebody to write.
  private static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  static func parse(_ text: String, path: String) throws -> [Setting] {
    var settings: [Setting] = []
    // A carriage return and a line feed are one character, which is not "\n".
    // Some editors put a mark of the byte order first.
    let lines = text.trimmingPrefix("\u{FEFF}").replacing("\r\n", with: "\n")
      .split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let line = trimmed(line)
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      let source = "\(path), line \(index + 1)"
      guard let equals = line.firstIndex(of: "=") else {
        throw SettingFailure(
          description: "\(source): '\(line)' is not of the form 'name = value'.")
      }
      let name = trimmed(line[..<equals])
      let value = trimmed(line[line.index(after: equals)...])
      guard !name.isEmpty else {
        throw SettingFailure(description: "\(source): there is no name before the '='.")
      }
      settings.append(
        Setting(name: name, value: try unquoted(value, source: source), source: source))
    }
    return settings
  }

  private static func unquoted(_ value: String, source: String) throws -> String {
    guard value.hasPrefix("\"") else { return value }
    var result = ""
    var isEscaped = false
    var rest = value.dropFirst().makeIterator()
    while let character = rest.next() {
      if isEscaped {
        let meanings: [Character: Character] = ["n": "\n", "t": "\t", "\"": "\"", "\\": "\\"]
        guard let meaning = meanings[character] else {
          throw SettingFailure(description: "\(source): '\\\(character)' has no meaning.")
        }
        result.append(meaning)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        guard rest.next() == nil else {
          throw SettingFailure(description: "\(source): there is text after the closing quote.")
        }
        return result
      } else {
        result.append(character)
      }
    }
    throw SettingFailure(description: "\(source): the closing quote is missing.")
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isKept = { (character: Character) in !character.isWhitespace }
    guard let first = text.firstIndex(where: isKept), let last = text.lastIndex(where: isKept)
    else { return "" }
    return String(text[first...last])
  }
}
