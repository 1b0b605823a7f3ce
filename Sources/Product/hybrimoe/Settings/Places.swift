/// Where the program keeps files, by the rules of the XDG base directories: relative paths in the
/// environment are ignored, as the specification says.
struct Places {
  let environment: [String: String]

  /// Settings: `$XDG_CONFIG_HOME/hybrimoe`, by default `~/.config/hybrimoe`.
  var configuration: String? { folder("XDG_CONFIG_HOME", ".config") }
  /// What can be made again: `$XDG_CACHE_HOME/hybrimoe`, by default `~/.cache/hybrimoe`.
  var caches: String? { folder("XDG_CACHE_HOME", ".cache") }
  /// Models that were downloaded: `$XDG_DATA_HOME/hybrimoe`, by default `~/.local/share/hybrimoe`.
  var data: String? { folder("XDG_DATA_HOME", ".local/share") }
  /// Conversations and what was typed: `$XDG_STATE_HOME/hybrimoe`, by default
  /// `~/.local/state/hybrimoe`.
  var state: String? { folder("XDG_STATE_HOME", ".local/state") }

  /// All of them for people, in a fixed order.
  var all: [(title: String, path: String?)] {
    [
      ("configuration", configuration.map { $0 + "/config" }), ("caches", caches),
      ("models", data.map { $0 + "/models" }), ("conversations", state),
    ]
  }

  private func folder(_ variable: String, _ fallback: String) -> String? {
    if let base = environment[variable], base.hasPrefix("/") { return base + "/hybrimoe" }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return home + "/" + fallback + "/hybrimoe"
  }
}
