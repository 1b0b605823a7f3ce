import FoundationEssentials

/// The variables that the process was started with.
enum Environment {
  static var all: [String: String] { ProcessInfo.processInfo.environment }

  static func value(_ name: String) -> String? { all[name] }

  static func hasNonEmpty(_ name: String) -> Bool { all[name]?.isEmpty == false }

  /// Whether the terminal is said to understand nothing but text.
  static var hasDumbTerminal: Bool { ["", "dumb"].contains(value("TERM")) }
}
