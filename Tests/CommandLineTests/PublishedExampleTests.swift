import Foundation
import GGUF
import Inference
import Testing

@testable import hybrimoe

/// The example that the published system shows, with only the program's name changed.
@Suite struct `The published example` {
  /// A folder as a user has it: the rules of the repository, and a folder with one model, which is a tiny
  /// one of the example's family.
  private static func world() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    try FileManager.default.createSymbolicLink(
      at: folder.url.appendingPathComponent("Rules"),
      withDestinationURL: tests.deletingLastPathComponent().appendingPathComponent("Rules"))
    let models = folder.url.appendingPathComponent("DeepSeek-V2-Lite-Chat-GGUF")
    try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
    let fixture = tests.appendingPathComponent("InferenceTests/Fixtures/deepseek2-nano-F16.gguf")
    let original = try ModelLocation.file(path: fixture.path).open()
    var writer = GGUFWriter()
    var entries: [(String, GGUFValue)] = []
    original.metadata.forEach { entries.append(($0, $1)) }
    for (key, value) in entries { try writer.set(key, value) }
    try writer.set("tokenizer.chat_template", .string(template))
    for tensor in original.tensors {
      try writer.addTensor(name: tensor.name, dimensions: tensor.dimensions, type: tensor.type)
    }
    let bytes = try writer.bytes { tensor in
      try original.withBytes(of: try original.requiredTensor(named: tensor.name)) { span in
        span.withUnsafeBufferPointer { Array($0) }
      }
    }
    try Data(bytes).write(
      to: models.appendingPathComponent("DeepSeek-V2-Lite-Chat.Q4_K_M.gguf"))
    return folder
  }

  /// Turns as this family writes them.
  private static let template = """
    {%- for message in messages -%}
    {%- if message['role'] == 'user' -%}
    {{- 'User: ' + message['content'] + '\\n\\n' -}}
    {%- else -%}
    {{- 'Assistant: ' + message['content'] + eos_token -}}
    {%- endif -%}
    {%- endfor -%}
    {%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
    """

  private static let arguments = [
    "--model_path", "deepseek-ai/DeepSeek-V2-Lite-Chat", "--gguf_path",
    "./DeepSeek-V2-Lite-Chat-GGUF", "--cache_size", "16", "--prefetch_size", "0",
    "--optimize_rule_path", "Rules/DeepSeek-V2-Chat.yaml",
  ]

  private func run(
    in folder: TemporaryFolder, device: String, _ arguments: [String] = arguments
  ) throws -> Program.Outcome {
    let process = Program.process(
      arguments,
      environment: [
        "HYBRIMOE_DEVICE": device, "HYBRIMOE_MAX_TOKENS": "8", "HYBRIMOE_TEMPERATURE": "0",
        "HYBRIMOE_CONTEXT": "64", "XDG_DATA_HOME": folder.path("data"),
      ])
    process.currentDirectoryURL = folder.url
    process.standardInput = try FileHandle(
      forReadingFrom: folder.write("input", "Hello\nAgain\n"))
    process.standardOutput = try FileHandle(forWritingTo: folder.write("output", ""))
    process.standardError = try FileHandle(forWritingTo: folder.write("error", ""))
    try process.run()
    process.waitUntilExit()
    return Program.Outcome(
      code: process.terminationStatus, output: try folder.read("output"),
      error: try folder.read("error"))
  }

  @Test func `opens a chat, and says once what needs a GPU where there is none`() throws {
    let folder = try Self.world()
    let outcome = try run(in: folder, device: "auto")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(!outcome.output.isEmpty)
    let idle = "--cache-size, --optimize-rule-path, --prefetch-size have no effect"
    #expect(outcome.error.components(separatedBy: idle).count == 2, "\(outcome.error)")
    for option in ["--cache-size", "--optimize-rule-path", "--prefetch-size"] {
      #expect(outcome.error.components(separatedBy: option).count == 2, "\(outcome.error)")
    }
  }

  @Test func `works with what was pulled where the folder is not there`() throws {
    let folder = try Self.world()
    let there = try run(in: folder, device: "cpu")
    let models = folder.path("data/hybrimoe/models/mzwing")
    try FileManager.default.createDirectory(atPath: models, withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      atPath: folder.path("DeepSeek-V2-Lite-Chat-GGUF"),
      toPath: models + "/DeepSeek-V2-Lite-Chat-GGUF")
    let pulled = try run(in: folder, device: "cpu")
    #expect(pulled.code == 0 && pulled.output == there.output, "\(pulled.error)")
    #expect(pulled.error.contains("mzwing/DeepSeek-V2-Lite-Chat-GGUF: \(models)"))
  }

  @Test func `obeys the rules where there is a device, with the same words`() throws {
    let folder = try Self.world()
    let outcome = try run(in: folder, device: "emulated")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.output == (try run(in: folder, device: "cpu")).output)
    #expect(!outcome.error.contains("no effect with"))
  }

  @Test func `a folder with several models is an error that lists them`() throws {
    let folder = try Self.world()
    try folder.write("DeepSeek-V2-Lite-Chat-GGUF/DeepSeek-V2-Lite-Chat.Q8_0.gguf", "abc")
    let outcome = try run(in: folder, device: "cpu")
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.error.contains("2 models"), "\(outcome.error)")
    #expect(outcome.error.contains("3 B  DeepSeek-V2-Lite-Chat.Q8_0.gguf"), "\(outcome.error)")
  }

  @Test func `the model's name alone says what to download`() throws {
    let folder = try Self.world()
    let outcome = try run(
      in: folder, device: "cpu", ["--model_path", "deepseek-ai/DeepSeek-V2-Lite-Chat"])
    #expect(outcome.code == 1)
    #expect(
      outcome.error.contains("hybrimoe pull mzwing/DeepSeek-V2-Lite-Chat-GGUF:Q4_K_M"),
      "\(outcome.error)")
  }
}
