import CPUCompute
import FoundationEssentials
import HostMemory

/// The files of packed weights that lie in a folder.
struct PackedWeightsCache {
  struct Entry: Equatable {
    var path: String
    var byteCount: Int
    /// What the model is called.
    var model: String
    /// Why no model can use the file; nil where one can.
    var fault: String?
  }

  let folder: String

  /// The files, by name; none where there is no folder. What is no such file is left out, a file that is
  /// being made or was left unfinished is not.
  func entries() throws -> [Entry] {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
      return []
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw CommandFailure("Cannot read the folder '\(folder)'.")
    }
    return names.filter { $0.hasSuffix(".packed") || $0.hasSuffix(".part") }.map(entry)
  }

  private func entry(_ name: String) -> Entry {
    let path = "\(folder)/\(name)"
    guard let file = try? MappedFile(path: path) else {
      return Entry(path: path, byteCount: 0, model: name, fault: "unreadable")
    }
    defer { withExtendedLifetime(file) {} }
    var entry = Entry(path: path, byteCount: file.byteCount, model: name, fault: nil)
    guard name.hasSuffix(".packed") else {
      entry.fault = "unfinished"
      return entry
    }
    guard let start = PackedFileSummary(fixed: file.bytes) else {
      entry.fault = "damaged"
      return entry
    }
    entry.model = start.title
    if !start.isCurrent {
      entry.fault = "of another version of this program"
    } else if start.byteCount != file.byteCount {
      entry.fault = "damaged"
    }
    return entry
  }

  /// Takes files away.
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
}
