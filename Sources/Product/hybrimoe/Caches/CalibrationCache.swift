import FoundationEssentials
import OrderedJSON

/// The calibrations that lie in a folder, one file for each machine and model.
struct CalibrationCache {
  struct Entry: Equatable {
    var path: String
    var byteCount: Int
    /// Model and machine, or the file's name where it cannot be read.
    var title: String
    /// Why it is not used; nil where it is.
    var fault: String?
  }

  let folder: String

  /// The calibration of a machine and a model; nil where there is none that can be used: it is only
  /// a shortcut.
  func calibration(_ key: String) -> Calibration? {
    guard let found = try? Self.read(path(key)), found.key == key else { return nil }
    return found
  }

  /// Keeps a calibration. Whoever reads at the same time finds the old file or the new one.
  ///
  /// - Throws: `CommandFailure` where the folder takes no file.
  func keep(_ calibration: Calibration) throws {
    let path = path(calibration.key)
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      try Data((calibration.json.text + "\n").utf8).write(
        to: URL(filePath: path), options: .atomic)
    } catch {
      throw CommandFailure("Cannot write '\(path)'.")
    }
  }

  /// The files, by name; none where there is no folder.
  func entries() throws -> [Entry] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw CommandFailure("Cannot read the folder '\(folder)'.")
    }
    return names.filter { $0.hasSuffix(".json") }.map { name in
      let path = "\(folder)/\(name)"
      let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
      var entry = Entry(path: path, byteCount: size ?? 0, title: name, fault: nil)
      if let found = try? Self.read(path) {
        entry.title = found.key
      } else {
        entry.fault = "damaged, or of another version of this program"
      }
      return entry
    }
  }

  /// Takes files away.
  ///
  /// - Throws: `CommandFailure` where one cannot be.
  func remove(_ entries: [Entry]) throws {
    for entry in entries {
      do {
        try FileManager.default.removeItem(atPath: entry.path)
      } catch {
        throw CommandFailure(
          "Cannot remove '\(entry.path)'; check that you may write to its folder.")
      }
    }
  }

  private static func read(_ path: String) throws -> Calibration {
    let text = try InputFile.description(path)
    return try Calibration(JSONNode(try JSONValue(parsing: text)))
  }

  /// A name that people can tell apart, and a number that is different for every key.
  private func path(_ key: String) -> String {
    let words = key.lowercased().map { character in
      character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
    }
    let number = key.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return "\(folder)/\(String(words.prefix(40)))-\(BenchmarkReport.hexadecimal(number)).json"
  }
}
