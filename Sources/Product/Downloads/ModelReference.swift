/// The name of a repository of models on a hub: `mzwing/DeepSeek-V2-Lite-Chat-GGUF`.
public struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
  /// Whose it is: a person or an organisation.
  public let owner: String
  /// What it is called.
  public let name: String

  /// Reads `OWNER/NAME`; nil where the text is none. Both parts are made of ASCII letters, digits, `-`,
  /// `_` and `.`, which makes them safe as names of folders and in addresses.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ Self.isPart($0) }) else { return nil }
    owner = String(parts[0])
    name = String(parts[1])
  }

  private static func isPart(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 96, first != UInt8(ascii: "."),
      first != UInt8(ascii: "-")
    else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
  }

  public var description: String { "\(owner)/\(name)" }

  /// What the model in it is called, for comparing repositories of different owners: in small letters,
  /// without the ending that says in which form the files are.
  public var modelName: String {
    var result = name.lowercased()
    for ending in ["-gguf", "_gguf", ".gguf", "-i1"] where result.hasSuffix(ending) {
      result.removeLast(ending.count)
    }
    return result
  }
}

/// What a user asks for: a repository and, after a colon, a quantisation or a file of it.
public struct ModelReference: Hashable, Sendable, CustomStringConvertible {
  /// Where the model is.
  public let repository: RepositoryName
  /// A quantisation such as `Q4_K_M`, or a file's name; nil leaves the choice to the program.
  public let selector: String?

  /// Reads `OWNER/NAME` or `OWNER/NAME:SELECTOR`; nil where the text is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let repository = RepositoryName(first) else { return nil }
    if parts.count == 2 {
      guard !parts[1].isEmpty else { return nil }
      selector = String(parts[1])
    } else {
      selector = nil
    }
    self.repository = repository
  }

  public var description: String { "\(repository)" + (selector.map { ":\($0)" } ?? "") }
}
