/// A model among the files of a repository or a folder: one GGUF file, or all parts of a split one.
public struct ListedModel: Sendable, Equatable {
  /// Paths of its files below the repository or folder, in the order of the parts.
  public var paths: [String]
  /// All its files together.
  public var byteCount: Int
  /// Numbers of the parts, from 1, that are not there; nothing for a whole model.
  public var missingParts: [Int] = []

  /// The file that stands for the model: the first part.
  public var path: String { paths[0] }
}

/// Finds models among files by the names that their makers give them.
public enum ModelSelection {
  /// The quantisation that is taken where the user names none: small, and good on every model.
  public static let usualQuantisation = "Q4_K_M"

  /// The models among files, by their paths. Files that only belong to models (projectors of pictures and
  /// matrices of importance) are none.
  public static func models(_ files: [(path: String, byteCount: Int)]) -> [ListedModel] {
    var whole: [ListedModel] = []
    var split: [String: [Int: (path: String, byteCount: Int)]] = [:]
    for file in files where isModel(file.path) {
      if let part = SplitName(file.path) {
        split["\(part.stem)\n\(part.count)", default: [:]][part.number] = file
      } else {
        whole.append(ListedModel(paths: [file.path], byteCount: file.byteCount))
      }
    }
    for parts in split.values {
      let present = parts.keys.sorted()
      guard let count = present.first.flatMap({ parts[$0] }).flatMap({ SplitName($0.path)?.count })
      else { continue }
      let missing = count > present.count ? (1...count).filter { parts[$0] == nil } : []
      whole.append(
        ListedModel(
          paths: present.compactMap { parts[$0]?.path },
          byteCount: parts.values.reduce(0) { $0 + $1.byteCount }, missingParts: missing))
    }
    return whole.sorted { $0.path < $1.path }
  }

  /// The model that a selector names; without one the usual quantisation, or the only model.
  ///
  /// - Throws: `ModelSelectionError` where that is none or several.
  public static func choose(
    _ selector: String?, from models: [ListedModel]
  ) throws(ModelSelectionError) -> ListedModel {
    guard let selector else {
      let usual = models.filter { matches($0.path, quantisation: usualQuantisation) }
      if usual.count == 1 { return usual[0] }
      guard models.count == 1 else { throw .undecided(models) }
      return models[0]
    }
    let named = models.filter { model in
      model.paths.contains { $0 == selector || fileName($0) == selector }
    }
    if named.count == 1 { return named[0] }
    let matching = models.filter { matches($0.path, quantisation: selector) }
    guard let only = matching.first else { throw .none(selector, models) }
    guard matching.count == 1 else { throw .several(selector, matching) }
    return only
  }

  /// Whether a quantisation's name stands in a file's name or its folder's as a word of its own, in
  /// whatever case: `Q4_K` is not in `model-Q4_K_M.gguf`, nor `Q4_NL` in `model-IQ4_NL.gguf`.
  static func matches(_ path: String, quantisation: String) -> Bool {
    let wanted = Array(quantisation.lowercased().utf8)
    let text = Array((path.hasSuffix(".gguf") ? path.dropLast(5) : path[...]).lowercased().utf8)
    guard !wanted.isEmpty, text.count >= wanted.count else { return false }
    return (0...(text.count - wanted.count)).contains { start in
      let end = start + wanted.count
      return text[start..<end].elementsEqual(wanted)
        && (start == 0 || !isWord(text[start - 1]))
        && (end == text.count || !(isWord(text[end]) || text[end] == UInt8(ascii: "_")))
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isModel(_ path: String) -> Bool {
    let name = fileName(path).lowercased()
    return name.hasSuffix(".gguf") && !name.contains("mmproj") && !name.contains("imatrix")
  }

  static func fileName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// The name of one part of a split model: `STEM-00002-of-00005.gguf`.
struct SplitName {
  var stem: Substring
  var number: Int
  var count: Int

  init?(_ path: String) {
    guard let match = path.wholeMatch(of: /(.+)-(\d{5})-of-(\d{5})\.gguf/),
      let number = Int(match.2), let count = Int(match.3), number >= 1, number <= count
    else { return nil }
    stem = match.1
    self.number = number
    self.count = count
  }
}

/// Why no model could be chosen; carries the models that there are, so that a message can list them.
public enum ModelSelectionError: Error, Equatable {
  /// No file has the selector's quantisation or name.
  case none(String, [ListedModel])
  /// Several have it.
  case several(String, [ListedModel])
  /// There is no selector, and not the one model that is taken then.
  case undecided([ListedModel])

  /// The models to choose from.
  public var models: [ListedModel] {
    switch self {
    case .none(_, let models), .several(_, let models), .undecided(let models): models
    }
  }
}
