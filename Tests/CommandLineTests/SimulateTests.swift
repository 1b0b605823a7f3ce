import ExpertSimulation
import Foundation
import TestSupport
import Testing

@testable import hybrimoe

@Suite struct `The simulate command` {
  private static let short = [
    "simulate", "--shape", "deepseek-v2-lite", "--machine", "paper", "--prompt-tokens", "4",
    "--decode-tokens", "2",
  ]

  @Test func `gives the same bytes twice, with plans that name every lane`() throws {
    let folder = try TemporaryFolder()
    func run(_ name: String) throws -> Program.Outcome {
      try Program.run(
        Self.short + [
          "--json", "--check", "--plans", folder.path(name), "--timeline-svg",
          folder.path("a.svg"), "--timeline-chrome", folder.path("a.json"),
        ])
    }
    let first = try run("a.jsonl")
    #expect(first.code == 0 && first.error.isEmpty)
    #expect(try run("b.jsonl").output == first.output)
    let results = try #require(first.json["results"] as? [[String: Any]])
    let result = try #require(results.first)
    let bounds = try #require(result["boundMilliseconds"] as? [String: Double])
    let report = try #require(result["report"] as? [String: Any])
    for phase in ["prefill", "decode"] {
      let figures = try #require(report[phase] as? [String: Any])
      let milliseconds = try #require(figures["milliseconds"] as? Double)
      #expect(milliseconds >= bounds[phase] ?? .infinity)
    }
    let plans = try folder.read("a.jsonl")
    #expect(plans == (try folder.read("b.jsonl")))
    // 26 MoE layers, one prefill step and two of decode.
    #expect(plans.split(separator: "\n").count == 78)
    for lane in ["cpu", "gpu", "link"] { #expect(plans.contains("\"lane\":\"\(lane)\"")) }
    #expect(try folder.read("a.svg").hasPrefix("<svg"))
  }

  @Test func `counts experts in parts that add up, once by place and once by lane`() throws {
    let outcome = try Program.run(Self.short)
    // Lines that were wrapped go on below their words.
    let text = outcome.output.replacing("\n           ", with: " ")
    for first in ["experts ", "of all "] {
      let lines = text.split(separator: "\n").filter {
        $0.drop { $0 == " " }.hasPrefix(first)
      }
      #expect(lines.count == 2, "one for each phase: \(outcome.output)")
      for line in lines {
        // What is on its way is said in brackets, as a part of what is missing.
        let counted = line.replacing(/\([^)]*\)/) { _ in "" }
        let sum = counted.matches(of: /(\d+) %/).reduce(0) { $0 + (Int($1.1) ?? 0) }
        #expect(abs(sum - 100) <= (first == "of all " ? 0 : 1), "\(line)")
      }
    }
    let table = try Program.run(Self.short + ["--scheduler", "dali,hybrimoe"])
    #expect(table.output.contains("where activated experts were as their layer began"))
  }

  @Test func `a timeline tells prefill from decode, and one token from many`() throws {
    let folder = try TemporaryFolder()
    let arguments = [
      "simulate", "--shape", "mixtral-8x7b", "--machine", "paper", "--prompt-tokens", "1",
      "--decode-tokens", "2", "--timeline-svg", folder.path("a.svg"),
    ]
    #expect(try Program.run(arguments).code == 0)
    let picture = try folder.read("a.svg")
    #expect(picture.contains("prompt of 1 token, answer of 2 tokens, seed 1"))
    #expect(picture.contains("1 prefill step and 2 decode steps"))
    #expect(picture.contains("· Step 0, prefill: ") && picture.contains("· Step 2, decode: "))
  }

  @Test func `compares systems in one table, and plays a recorded trace`() throws {
    let folder = try TemporaryFolder()
    let words = try Program.run(Self.short + ["--scheduler", "ktransformers,hybrimoe"])
    #expect(words.code == 0)
    #expect(words.output.contains("ktransformers") && words.output.contains("x bound"))
    let made = try Program.run([
      "trace", "synth", "--shape", "deepseek-v2-lite", "--prompt-tokens", "4", "--decode-tokens",
      "2", "--sequences", "1", "--output", folder.path("t.jsonl.gz"),
    ])
    #expect(made.code == 0)
    func play(_ shape: String) throws -> Program.Outcome {
      try Program.run([
        "simulate", "--shape", shape, "--machine", "rtx-4090", "--trace", folder.path("t.jsonl.gz"),
      ])
    }
    let played = try play("deepseek-v2-lite")
    #expect(played.code == 0 && played.output.contains("decode, hybrimoe:"))
    let other = try play("qwen2-57b-a14b")
    #expect(other.code == 1 && other.error.contains("choose the --shape"))
  }

  @Test func `every known shape has what a simulation needs on every known machine`() throws {
    let catalog = ProfileCatalog(environment: [:])
    for name in catalog.names(.shapes) {
      let shape = try catalog.shape(name)
      #expect(throws: Never.self) { try catalog.routing(of: shape) }
      for machine in catalog.names(.machines) {
        #expect(throws: Never.self, "\(name) on \(machine)") {
          try SimulatedMachine(profile: catalog.machine(machine), shape: shape)
        }
      }
    }
  }

  @Test func `a known shape without a routing of its own is simulated with the default`() throws {
    let name = "gpt-oss-20b"
    #expect(!ProfileCatalog(environment: [:]).names(.routing).contains(name))
    let outcome = try Program.run([
      "simulate", "--shape", name, "--prompt-tokens", "1", "--decode-tokens", "1",
    ])
    #expect(outcome.code == 0, "\(outcome.error)")
  }

  @Test func `a user's own shape is simulated with the default routing`() throws {
    let folder = try TemporaryFolder()
    let text = try profileText("shapes/deepseek-v2-lite")
      .replacing("\"name\": \"deepseek-v2-lite\"", with: "\"name\": \"own\"")
    try folder.write("own.json", text)
    let outcome = try Program.run([
      "simulate", "--shape", folder.path("own.json"), "--prompt-tokens", "1", "--decode-tokens",
      "1", "--json",
    ])
    #expect(outcome.code == 0 && outcome.json["shape"] as? String == "own", "\(outcome.error)")
  }

  @Test(arguments: [
    ["simulate"], ["simulate", "--shape", "x", "--scheduler", "hybrimoe,nothing"],
    ["simulate", "--shape", "x", "--cache-ratio", "2"],
    ["simulate", "--shape", "x", "--cache-ratio", "0.5", "--cache-size", "4"],
    ["simulate", "--shape", "x", "--cache-size", "0"],
    ["simulate", "--shape", "x", "--prefetch-size", "-1"],
    ["simulate", "--shape", "x", "--prompt-tokens", "-1"],
    ["simulate", "--shape", "x", "--trace", "t", "--seed", "1"],
    ["simulate", "--shape", "x", "--eviction", "min"], ["simulate", "--fit"],
    ["simulate", "--paper", "--shape", "x"],
    ["simulate", "--shape", "x", "--scheduler", "dali,hybrimoe", "--plans", "p"],
    ["simulate", "--shape", "x", "--cache-ratio", "0"],
    ["simulate", "--shape", "deepseek-v2-lite", "--cache-size", "65"],
  ])
  func `wrong usage is refused`(_ arguments: [String]) throws {
    let outcome = try Program.run(arguments)
    #expect(outcome.code == 64 && outcome.output.isEmpty, "\(outcome.error)")
  }

  @Test(arguments: [
    (["--plans", "-"], "name a file with --plans"),
    (["--timeline-svg", "-", "--json"], "name a file with --timeline-svg"),
    (["--plans", "/nowhere/a", "--timeline-svg", "/nowhere/./a"], "name the same file"),
    (["--trace", "/nowhere/a", "--plans", "/nowhere/a"], "--trace and --plans name the same file"),
    (["--scheduler", "dali,dali"], "dali is named twice in --scheduler"),
    (["--eviction", "lru", "--admission", "bypass"], "always admits"),
    (["--scheduler", "llamacpp", "--admission", "forced"], "no meaning for llamacpp"),
    (["--scheduler", "llamacpp", "--prefetch-size", "4"], "no copies ahead"),
  ])
  func `options that contradict each other are refused with the reason`(
    _ arguments: [String], _ words: String
  ) throws {
    let outcome = try Program.run(["simulate", "--shape", "deepseek-v2-lite"] + arguments)
    #expect(outcome.code == 64 && outcome.output.isEmpty)
    #expect(outcome.error.contains(words), "\(outcome.error)")
  }

  @Test(arguments: [["--scheduler", "dali"], ["--timeline-svg", "a"], ["--cache-size", "3"]])
  func `the paper's evaluation refuses what it would not heed`(_ arguments: [String]) throws {
    let outcome = try Program.run(["simulate", "--paper"] + arguments)
    #expect(outcome.code == 64 && outcome.error.contains("leave out \(arguments[0])"))
  }

  @Test func `an eviction that always admits is reported as it runs`() throws {
    let outcome = try Program.run(Self.short + ["--eviction", "lru", "--json"])
    let results = try #require(outcome.json["results"] as? [[String: Any]])
    #expect(results.first?["admission"] as? String == "forced")
  }

  @Test func `slots that the machine has no memory for are simulated with a warning`() throws {
    let outcome = try Program.run([
      "simulate", "--shape", "qwen2-57b-a14b", "--machine", "rtx-4090", "--cache-ratio", "1",
      "--prompt-tokens", "1", "--decode-tokens", "1", "--scheduler", "all-gpu",
    ])
    #expect(outcome.code == 0 && outcome.error.contains("rtx-4090+ddr5 has not the memory"))
  }

  @Test(arguments: [
    ["--shape", "x"], ["--shape", "deepseek-v2-lite", "--machine", "x"],
    ["--shape", "deepseek-v2-lite", "--trace", "/nowhere"],
    ["--shape", "deepseek-v2-lite", "--trace", "-"],
    ["--shape", "deepseek-v2-lite", "--prompt-tokens", "0", "--decode-tokens", "0"],
    ["--shape", "qwen2-57b-a14b", "--prompt-tokens", "1000000", "--decode-tokens", "1"],
  ])
  func `what cannot be simulated fails with a reason`(_ arguments: [String]) throws {
    let outcome = try Program.run(["simulate"] + arguments)
    #expect(outcome.code == 1 && outcome.error.hasPrefix("Error: "), "\(outcome.error)")
  }
}
