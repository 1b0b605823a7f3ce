import ArgumentParser
import Glibc
import HostMemory
import Inference

@main
enum Main {
  static func main() {
    Interrupts.install()
    exit(run(Array(CommandLine.arguments.dropFirst()), environment: Environment.all))
  }

  /// Parses the arguments, runs the command and returns the exit code.
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    let invocation = Invocation(arguments)
    var console: Console?
    do {
      var command = try invocation.parse(environment: environment)
      console = (command as? any LookingCommand)?.looking.console
      let clock = ContinuousClock()
      let start = clock.now
      do {
        try command.run()
      } catch let error as ValidationError {
        let path = Hybrimoe.path(of: type(of: command)) ?? []
        throw WrongUsage(command: path.joined(separator: " "), message: error.message)
      }
      if let looking = (command as? any LookingCommand)?.looking, looking.stats {
        let seconds = HumanUnits.fixed(start.duration(to: clock.now).seconds, 2)
        let memory = MemoryStatus.peakResidentBytes().map(HumanUnits.bytes) ?? "unknown"
        looking.console.note("in all: \(seconds) s, at most \(memory) of memory")
      }
      return 0
    } catch {
      return report(
        error,
        on: console
          ?? Console(
            isJSON: invocation.logsJSON(environment: environment),
            usesColor: LookingOptions.mayUseColor))
    }
  }

  /// Says what went wrong where it belongs and returns the exit code.
  private static func report(_ error: any Error, on console: Console) -> Int32 {
    switch error {
    case let usage as WrongUsage:
      console.fail(console.isJSON ? usage.message : usage.description)
      return ExitCode.validationFailure.rawValue
    case let failure as SettingFailure:
      console.fail(failure.description)
      return ExitCode.validationFailure.rawValue
    case let code as ExitCode:
      return code.rawValue
    case is CommandFailure:
      console.fail("\(error)")
      return ExitCode.failure.rawValue
    default:
      let code = Hybrimoe.exitCode(for: error)
      let isParsing = code == .success || code == .validationFailure
      guard isParsing else {
        // An error of the engine: its own words, without the parser's usage lines.
        console.fail("\(error)")
        return ExitCode.failure.rawValue
      }
      var message = Hybrimoe.fullMessage(for: error)
      if code == .success, message == Version.number { message = Version.text }
      if code != .success, console.isJSON {
        console.fail(Hybrimoe.message(for: error))
        return code.rawValue
      }
      let stream: OutputStream = code == .success ? .standardOutput : .standardError
      message = TerminalText.safeLines(message)
      try? stream.write(message.hasSuffix("\n") ? message : message + "\n")
      return code.rawValue
    }
  }
}

/// Wrong usage that a command found when it ran; the parser knows no longer which command it was.
private struct WrongUsage: Error, CustomStringConvertible {
  let command: String
  let message: String

  var description: String {
    """
    \(message)
    Usage: hybrimoe \(command) <options>
      See 'hybrimoe \(command) --help' for more information.
    """
  }
}
