import Foundation
import Testing

@testable import hybrimoe

/// The command that shows settings, run as a user runs it.
@Suite struct `Config` {
  private func folder(_ lines: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent("hybrimoe"), withIntermediateDirectories: true)
    try folder.write("hybrimoe/config", lines)
    return folder
  }

  @Test func `each setting is shown with its place, the strongest one only`() throws {
    let folder = try folder("top-k = 20\nseed = 1\nstop = a\nstop = b,c\n")
    let outcome = try Program.run(
      "config", "run", "--json",
      environment: ["XDG_CONFIG_HOME": folder.url.path, "HYBRIMOE_SEED": "9"])
    #expect(outcome.code == 0)
    let rows = (outcome.json["settings"] as? [[String: Any]] ?? []).map {
      [$0["name"] as? String, $0["value"] as? String, $0["source"] as? String]
    }
    let path = folder.path("hybrimoe/config")
    #expect(rows.contains(["top-k", "20", "\(path), line 1"]))
    #expect(rows.contains(["seed", "9", "HYBRIMOE_SEED"]))
    #expect(rows.contains(["stop", "a", "\(path), line 3"]))
    #expect(rows.contains(["stop", "b,c", "\(path), line 4"]))
    #expect(rows.contains(["log-level", "info", "default"]))
    #expect(rows.contains(["json", "false", "default"]))
    #expect(!rows.contains { $0[0] == "seed" && $0[2] != "HYBRIMOE_SEED" })
    #expect((outcome.json["places"] as? [String: String])?["configuration"] == path)
  }

  @Test func `only what is set is listed on request`() throws {
    let folder = try folder("temperature = 0.5\n")
    let outcome = try Program.run(
      "config", "--changed", environment: ["XDG_CONFIG_HOME": folder.url.path])
    #expect(
      outcome.output.split(separator: "\n").filter { $0.hasPrefix("temperature") }.count == 1)
    #expect(!outcome.output.contains("top-k"))
  }

  @Test func `an unknown command or setting is wrong usage with a near word`() throws {
    let command = try Program.run("config", "inspct")
    #expect(command.code == 64 && command.error.contains("Is 'inspect' meant?"))
    let folder = try folder("temprature = 0.5\n")
    let setting = try Program.run("config", environment: ["XDG_CONFIG_HOME": folder.url.path])
    #expect(setting.code == 64 && setting.error.contains("line 1: there is no option"))
  }

  @Test func `a byte order mark is skipped, and what is no file is refused`() throws {
    let marked = try folder("\u{FEFF}top-k = 20\n")
    let outcome = try Program.run(
      "config", "--changed", environment: ["XDG_CONFIG_HOME": marked.url.path])
    #expect(outcome.code == 0 && outcome.output.contains("config, line 1"), "\(outcome.error)")
    let pipe = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: pipe.url.appendingPathComponent("hybrimoe"), withIntermediateDirectories: true)
    #expect(mkfifo(pipe.path("hybrimoe/config"), 0o600) == 0)
    let refused = try Program.run("config", environment: ["XDG_CONFIG_HOME": pipe.url.path])
    #expect(refused.code == 64 && refused.error.contains("is not a file with settings"))
  }

  @Test func `one origin gives all values of an option that may be repeated`() {
    let reader = SettingsReader([
      .commandLine: ["seed": ["1"]], .environment: ["stop": ["x,y"], "seed": ["2"]],
      .file: ["stop": ["a", "b"], "top-k": ["3"]],
    ])
    #expect(reader.values(of: "stop")?.values == ["x,y"])
    #expect(reader.values(of: "stop")?.origin == .environment)
    #expect(reader.values(of: "seed")?.values == ["1"])
    #expect(reader.values(of: "top-k")?.origin == .file)
    #expect(reader.values(of: "top-p") == nil)
  }

  @Test func `folders follow the base directory rules`() {
    let home = Places(environment: ["HOME": "/h", "XDG_DATA_HOME": "relative"])
    #expect(home.data == "/h/.local/share/hybrimoe")
    #expect(home.state == "/h/.local/state/hybrimoe")
    #expect(Places(environment: ["XDG_STATE_HOME": "/s"]).state == "/s/hybrimoe")
    #expect(Places(environment: [:]).caches == nil)
  }
}
