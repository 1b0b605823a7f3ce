/// Where files lie that this program can make again: `$XDG_CACHE_HOME/hybrimoe`, by default
/// `~/.cache/hybrimoe`.
enum CacheFolder {
  /// The folder of packed weights, or nil where the environment names no home.
  static func packedWeights(environment: [String: String]) -> String? {
    path(environment: environment).map { $0 + "/packed" }
  }

  /// The folder of what was measured and learned of machines and models, or nil likewise.
  static func calibrations(environment: [String: String]) -> String? {
    path(environment: environment).map { $0 + "/calibrations" }
  }

  private static func path(environment: [String: String]) -> String? {
    Places(environment: environment).caches
  }
}
