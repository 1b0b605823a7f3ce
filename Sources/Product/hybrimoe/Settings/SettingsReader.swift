import Configuration
import Synchronization

/// Who set an option; the first one that says something about it decides.
enum SettingOrigin: Int, CaseIterable, Comparable {
  case commandLine, environment, file

  static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What options are set to, asked of the command line, the environment and the file in this order.
///
/// Names here are the usual spellings of long options; whoever makes a reader has translated the
/// others. An option that may be repeated has several values, all from one origin.
struct SettingsReader {
  private let reader: ConfigReader
  private let answers = Answers()

  /// A reader of values by option, each option with all its values.
  init(_ values: [SettingOrigin: [String: [String]]]) {
    let providers: [any ConfigProvider] = SettingOrigin.allCases.map { origin in
      let values = values[origin] ?? [:]
      switch origin {
      case .environment:
        // A variable has one value.
        return EnvironmentVariablesProvider(
          environmentVariables: Dictionary(
            values.map { (CommandTable.variable($0.key), $0.value.last ?? "") },
            uniquingKeysWith: { $1 }))
      case .commandLine, .file:
        return InMemoryProvider(
          name: "\(origin)",
          values: Dictionary(
            uniqueKeysWithValues: values.flatMap { name, values in
              values.enumerated().map { index, value in
                (
                  AbsoluteConfigKey(Self.key(name, index)),
                  ConfigValue(.string(value), isSecret: false)
                )
              }
            }))
      }
    }
    reader = ConfigReader(providers: providers, accessReporter: answers)
  }

  /// The values of an option and who gave them; nil where nobody did.
  func values(of name: String) -> (values: [String], origin: SettingOrigin)? {
    guard let first = reader.string(forKey: Self.key(name, 0)), let origin = answers.origin
    else { return nil }
    var values = [first]
    while let next = reader.string(forKey: Self.key(name, values.count)), answers.origin == origin {
      values.append(next)
    }
    return (values, origin)
  }

  /// The key of an option's value: the first has the name of its variable, so that the environment
  /// finds it; further ones cannot be confused with a variable.
  private static func key(_ name: String, _ index: Int) -> ConfigKey {
    ConfigKey(["hybrimoe", name] + (index == 0 ? [] : ["value", String(index)]))
  }
}

/// Remembers which provider answered last.
private final class Answers: AccessReporter {
  private let last = Mutex<SettingOrigin?>(nil)

  var origin: SettingOrigin? { last.withLock { $0 } }

  func report(_ event: AccessEvent) {
    let index = event.providerResults.firstIndex {
      if case .success(let result) = $0.result { return result.value != nil }
      return false
    }
    last.withLock { $0 = index.flatMap(SettingOrigin.init) }
  }
}
