import ArgumentParser

/// Values given as one argument, with commas between them; each at most once, which `checkDistinct` tells.
struct Listed<Value: ExpressibleByArgument & Hashable & Sendable>: ExpressibleByArgument, Sendable {
  let values: [Value]

  init(_ values: [Value]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap {
      Value(argument: $0.trimmingPrefix(while: \.isWhitespace).description)
    }
    guard values.count == parts.count else { return nil }
    self.values = values
  }

  /// - Throws: `ValidationError` with the first value that stands there twice.
  func checkDistinct(_ option: String) throws {
    var seen: Set<Value> = []
    for value in values where !seen.insert(value).inserted {
      throw ValidationError("\(value.defaultValueDescription) is named twice in \(option).")
    }
  }

  var defaultValueDescription: String {
    values.map(\.defaultValueDescription).joined(separator: ",")
  }

  static var allValueStrings: [String] { Value.allValueStrings }
}
