import Foundation
import Testing

/// The hybrid engine on an emulated device, as a user meets it.
@Suite struct `A run on an emulated device` {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func run(_ words: String..., device: String = "emulated") throws -> Program.Outcome {
    try Program.run(
      words + ["-m", Program.endlessModel, "--device", device])
  }

  @Test func `writes the very text that the CPU writes, and says what is where in one line`() throws
  {
    let words = ["-p", "hello there", "-n", "6", "--seed", "3"]
    let alone = try run(
      "run", words[0], words[1], words[2], words[3], words[4], words[5], device: "cpu")
    let both = try run("run", words[0], words[1], words[2], words[3], words[4], words[5])
    #expect(both.code == 0 && both.output == alone.output, "\(both.error)")
    #expect(
      both.error.wholeMatch(
        of:
          /GPU: attention and 2 of 8 experts in each of 2 layers \(.+\); CPU: the rest; about .+ tokens\/s expected\.\n/
      ) != nil, "\(both.error)")
  }

  @Test func `gives the CPU's scores to the last digit`() throws {
    let alone = try run("logits", "--tokens", "8,56,166", "--greedy", "2", "--json", device: "cpu")
    for options in [
      ["--cache-size", "1"], ["--cache-ratio", "1"], ["--scheduler", "all-cpu"],
      ["--eviction", "lru", "--prefetch-size", "0"], ["--cache-size", "0"],
    ] {
      let both = try Program.run(
        [
          "logits", "-m", Program.endlessModel, "--tokens", "8,56,166", "--greedy", "2", "--json",
          "--device", "emulated",
        ] + options)
      #expect(both.output == alone.output, "\(options): \(both.error)")
    }
  }

  @Test func `records the trace that the CPU records`() throws {
    var traces: [String] = []
    for device in ["cpu", "emulated"] {
      let outcome = try run(
        "trace", "record", "-p", "hello there", "-n", "4", "--temperature", "0", "-o",
        folder.path(device), device: device)
      #expect(outcome.code == 0, "\(outcome.error)")
      traces.append(try folder.read(device))
    }
    #expect(traces[0] == traces[1] && !traces[0].isEmpty)
  }

  @Test func `reports what caches and copies were good for`() throws {
    let outcome = try run("run", "-p", "hello there", "-n", "4", "--stats", "--json")
    #expect(outcome.error.contains("activated experts") && outcome.error.contains("over the link:"))
    #expect(outcome.error.contains("of modelled time"))
    let engine = try #require(outcome.json["engine"] as? [String: Any])
    #expect(engine["timesAreModelled"] as? Bool == true)
    let decode = try #require(engine["decode"] as? [String: Any])
    for key in [
      "hitRate", "prefetched", "late", "onCPU", "busy", "seconds",
      "predictedMakespanMicroseconds", "measuredMakespanMicroseconds", "computed",
    ] { #expect(decode[key] != nil, "\(key)") }
    #expect(decode["measuredMakespanMicroseconds"] as? Double ?? 0 > 0)
    #expect(engine["linkBytes"] is Int && engine["prefetch"] != nil)
    #expect(decode["steps"] as? Int == 3, "the fourth token is chosen, but never taken in")
    let alone = try run("run", "-p", "hello there", "-n", "2", "--json", device: "cpu")
    #expect(alone.json["engine"] == nil)
  }

  @Test(arguments: ["hybrimoe", "dali", "all-cpu", "all-gpu", "ktransformers", "adapmoe"])
  func `tells of every activated expert who computed it, in parts that add up`(
    _ scheduler: String
  ) throws {
    let outcome = try run(
      "run", "-p", "hello there", "-n", "4", "--stats", "--json", "--cache-size", "2",
      "--scheduler", scheduler)
    #expect(outcome.code == 0, "\(outcome.error)")
    let engine = try #require(outcome.json["engine"] as? [String: Any])
    for phase in ["prefill", "decode"] {
      let figures = try #require(engine[phase] as? [String: Any])
      let parts = try #require(figures["computed"] as? [String: Int])
      let late = try #require(parts["ofTheseLate"])
      #expect(parts.values.reduce(0, +) - late == figures["activated"] as? Int, "\(phase)")
      let onCPU = (parts["residentOnCPU"] ?? 0) + (parts["missingOnCPU"] ?? 0)
      #expect(onCPU == figures["onCPU"] as? Int, "\(phase)")
    }
    for line in outcome.error.split(separator: "\n") where line.contains("activated experts") {
      // The words before the hit rate, whose percentage is of another thing.
      let sentence = line.prefix(upTo: line.range(of: "; hit rate")?.lowerBound ?? line.endIndex)
      let words = sentence.split(separator: " ")
      let percentages = words.indices.dropLast().filter { words[$0 + 1] == "%" }
        .compactMap { Int(words[$0]) }
      #expect(percentages.reduce(0, +) == 100, "\(line)")
    }
  }

  @Test func `draws measured lanes beside predicted ones`() throws {
    let outcome = try run(
      "run", "-p", "hello there", "-n", "3", "--timeline-svg", folder.path("a.svg"),
      "--timeline-chrome", folder.path("a.json"))
    #expect(outcome.code == 0, "\(outcome.error)")
    let picture = try folder.read("a.svg")
    #expect(picture.contains(">measured<") && picture.contains(">predicted<"))
    #expect(picture.contains("modelled times"))
    #expect(picture.contains(", step 1 (decode)") && picture.contains(">dense<"))
    let trace = try JSONSerialization.jsonObject(with: Data(try folder.read("a.json").utf8))
    let events = try #require((trace as? [String: Any])?["traceEvents"] as? [[String: Any]])
    for process in [1, 2] {
      #expect(events.contains { $0["pid"] as? Int == process && $0["ph"] as? String == "X" })
    }
    let early = try run("run", "-p", "a", "--timeline-svg", folder.path("none/c.svg"))
    #expect(early.code == 1 && early.output.isEmpty, "before anything is computed")
    #expect(early.error.contains("Cannot write"))
    let refused = try run(
      "run", "-p", "a", "--timeline-svg", folder.path("b"), "--timeline-chrome", folder.path("b"))
    #expect(refused.code == 64 && refused.error.contains("name the same file"))
  }

  @Test func `what does not fit is told, or refused with what to do`() throws {
    let less = try run("logits", "--tokens", "1", "--cache-size", "8", "--gpu-memory", "2500k")
    #expect(less.code == 0 && less.error.contains("room for"), "\(less.error)")
    let none = try run("logits", "--tokens", "1", "--gpu-memory", "1k")
    #expect(none.code == 1 && none.error.contains("--device cpu"), "\(none.error)")
    let unknown = try run("logits", "--tokens", "1", "--emulated-machine", "rtx-309")
    #expect(unknown.code == 1 && unknown.error.contains("Is 'rtx-3090' meant?"))
  }
}

@Suite struct `Comparing systems` {
  private func bench(_ words: String...) throws -> Program.Outcome {
    try Program.run(
      [
        "bench", "-m", Program.endlessModel, "--prompt-tokens", "4", "--generate", "3",
        "--repetitions", "1",
      ] + words)
  }

  @Test func `measures all of them with the same routing, and tells ratios`() throws {
    let outcome = try bench(
      "--device", "emulated", "--compare", "hybrimoe,ktransformers,all-cpu", "--synthetic", "1",
      "--json")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.json["timesAreModelled"] as? Bool == true)
    #expect(outcome.json["routing"] as? String == "made-up routing, seed 1")
    let systems = try #require(outcome.json["systems"] as? [[String: Any]])
    #expect(systems.map { $0["scheduler"] as? String } == ["hybrimoe", "ktransformers", "all-cpu"])
    let tests = try systems.map { try #require($0["tests"] as? [[String: Any]]) }
    #expect(tests.allSatisfy { $0.map { $0["test"] as? String } == ["pp4", "tg3"] })
    #expect(tests[0].allSatisfy { $0["ratioToFirst"] as? Double == 1 })
    for column in 0..<2 {
      let checksums = tests.map { $0[column]["checksum"] as? String }
      #expect(Set(checksums).count == 1, "a system decides who computes, never what")
      #expect(tests.allSatisfy { ($0[column]["tokensPerSecond"] as? Double ?? 0) > 0 })
    }
    let again = try bench(
      "--device", "emulated", "--compare", "hybrimoe,ktransformers,all-cpu", "--synthetic", "1",
      "--json")
    #expect(again.output == outcome.output, "modelled times are the same every time")
  }

  @Test func `takes the routing of a recorded trace`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.jsonl")
    _ = try Program.run(
      "trace", "record", "-m", Program.endlessModel, "-p", "hello there", "-n", "4", "-o", path)
    let outcome = try bench("--device", "emulated", "--trace", path, "--csv")
    #expect(outcome.code == 0, "\(outcome.error)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[0].hasPrefix("system,test,tokens,"))
    #expect(lines[1].hasPrefix("hybrimoe,pp4,4,"))
    let other = try Program.run(
      "bench", "--device", "emulated", "--trace", path, "--prompt-tokens", "4", "--generate", "0")
    #expect(other.code == 1 && other.error.contains("trace of another model"), "\(other.error)")
  }

  @Test(arguments: [
    (["--device", "cpu", "--compare", "hybrimoe"], "--device emulated"),
    (["--device", "cpu", "--synthetic", "1"], "--device emulated"),
    (["--device", "emulated", "--compare", "hybrimoe,hybrimoe"], "named twice"),
    (["--device", "emulated", "--compare", "fast"], "invalid"),
    (
      ["--device", "emulated", "--compare", "dali", "--scheduler", "dali"], "leave --scheduler out"
    ),
    (["--device", "emulated", "--compare", "dali", "--profile"], "leave --profile out"),
    (["--device", "emulated", "--trace", "a", "--synthetic", "1"], "not both"),
    (["--device", "emulated", "--trace", "-"], "give a file"),
    (
      ["--device", "emulated", "--compare", "dali,hybrimoe", "--timeline-svg", "a.svg"],
      "shows one run"
    ),
  ])
  func `what makes no sense is refused with a reason`(words: [String], part: String) throws {
    let outcome = try Program.run(["bench"] + words)
    #expect(outcome.code == 64 && outcome.error.contains(part), "\(outcome.error)")
  }
}

/// What a user sees when a device fails: a clear error or less speed, never another text, never a
/// hang.
@Suite struct `A device that fails` {
  private func run(_ failure: String, _ words: String...) throws -> Program.Outcome {
    try Program.run(
      [
        "run", "-m", Program.endlessModel, "-p", "hello there", "-n", "3", "--temperature", "0",
        "--device", "emulated", "--emulated-failure", failure,
      ] + words)
  }

  private static let text = try? Program.run(
    "run", "-m", Program.endlessModel, "-p", "hello there", "-n", "3", "--temperature", "0"
  ).output

  @Test(arguments: ["lost-at-launch:60", "lost-at-copy:30"])
  func `that is lost in the middle ends the run with what to do`(failure: String) throws {
    let outcome = try run(failure)
    #expect(outcome.code == 1, "\(outcome)")
    #expect(outcome.error.contains("is lost") && outcome.error.contains("--device cpu"))
  }

  @Test(arguments: ["delay:10:1000000", "pinning:1000000", "memory:3000000"])
  func `in a harmless way gives the same text`(failure: String) throws {
    let outcome = try run(failure, "--cache-size", "4", "--stats")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.output == Self.text && !outcome.output.isEmpty)
  }

  @Test func `that has less memory than it said has a smaller cache, which is told`() throws {
    let outcome = try run("memory:2350000", "--cache-ratio", "1")
    #expect(outcome.error.contains("no room for") && outcome.error.contains("is cut down to"))
    #expect(outcome.code == 0 && outcome.output == Self.text, "\(outcome.error)")
    let less = try run("memory:1000000", "--cache-ratio", "1")
    #expect(less.code == 1 && less.error.contains("--device cpu"), "\(less.error)")
    #expect(less.output.isEmpty)
  }
}
