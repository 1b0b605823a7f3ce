import Foundation

/// The built program, run as a user runs it.
struct Program {
  struct Outcome {
    var code: Int32
    var output: String
    var error: String

    /// The output as JSON.
    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
    }
  }

  /// The executable stands beside the one that runs the tests.
  static var url: URL {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("hybrimoe")
  }

  /// A model of random weights, whose text never changes and hardly ever ends.
  static var endlessModel: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("InferenceTests/Fixtures/qwen2moe-nano-F16.gguf").path
  }

  /// A process with an environment of its own: nothing of the user's settings, and no GPU unless a
  /// test asks for one.
  static func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    var plain = [
      "HOME": "/nonexistent", "PATH": "/usr/bin", "HYBRIMOE_DEVICE": "cpu",
      "CUDA_VISIBLE_DEVICES": "",
    ]
    // A plan for a named machine is to have that machine's GPU.
    if arguments.first == "plan" { plain["HYBRIMOE_DEVICE"] = nil }
    process.environment = plain.merging(environment) { $1 }
    return process
  }

  /// Runs to the end with a text as standard input.
  static func run(
    _ arguments: String..., input: String = "", environment: [String: String] = [:]
  ) throws -> Outcome {
    try run(arguments, input: input, environment: environment)
  }

  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    let process = process(arguments, environment: environment)
    // Files, not pipes: a pipe that nobody reads would block the program.
    process.standardInput = try FileHandle(forReadingFrom: folder.write("input", input))
    process.standardOutput = try FileHandle(forWritingTo: folder.write("output", ""))
    process.standardError = try FileHandle(forWritingTo: folder.write("error", ""))
    try process.run()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: try folder.read("output"),
      error: try folder.read("error"))
  }
}

/// A folder that is gone when its last user is.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hybrimoe-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
  }
}
