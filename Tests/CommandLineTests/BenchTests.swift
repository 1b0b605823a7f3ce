import Foundation
import Testing

@testable import hybrimoe

@Suite struct BenchTests {
  /// A shape that is made in a moment.
  private static let shape = """
    {"kind": "shape", "name": "small", "title": "Small", "reference": "none",
     "architecture": "ARCHITECTURE", "quantization": "QUANTIZATION",
     "layers": {"value": 3, "unit": "layers", "source": "test"},
     "hidden": {"value": 256, "unit": "elements", "source": "test"},
     "vocabulary": {"value": 512, "unit": "tokens", "source": "test"},
     "experts": {
       "count": {"value": 8, "unit": "experts", "source": "test"},
       "activated": {"value": 2, "unit": "experts", "source": "test"},
       "width": {"value": 256, "unit": "elements", "source": "test"}
     },
    OWN
    }
    """

  private static let grouped = """
    "attention": {
      "kind": "grouped",
      "heads": {"value": 4, "unit": "heads", "source": "test"},
      "keyValueHeads": {"value": 2, "unit": "heads", "source": "test"},
      "headWidth": {"value": 64, "unit": "elements", "source": "test"}WINDOW
    }
    """

  private static let shared = """
    "shared": {"width": {"value": 512, "unit": "elements", "source": "test"}},
    """

  private static let latent = """
    "denseLayers": {"value": 1, "unit": "layers", "source": "test"},
    "dense": {"width": {"value": 512, "unit": "elements", "source": "test"}},
    "attention": {
      "kind": "latent",
      "heads": {"value": 4, "unit": "heads", "source": "test"},
      "queryRank": {"value": 128, "unit": "elements", "source": "test"},
      "keyValueRank": {"value": 256, "unit": "elements", "source": "test"},
      "nopeWidth": {"value": 64, "unit": "elements", "source": "test"},
      "ropeWidth": {"value": 32, "unit": "elements", "source": "test"},
      "valueWidth": {"value": 64, "unit": "elements", "source": "test"}
    }
    """

  private static let window = """
    , "window": {"value": 16, "unit": "tokens", "source": "test"},
    "windowEvery": {"value": 2, "unit": "layers", "source": "test"}
    """

  @Test(arguments: [
    ("qwen3moe", "Q4_K_M", grouped), ("llama", "Q8_0", grouped), ("gpt-oss", "MXFP4", grouped),
    ("qwen2moe", "F16", shared + grouped), ("deepseek2", "Q4_K_M", shared + latent),
  ])
  func `made weights of a shape are measured`(
    architecture: String, quantization: String, own: String
  ) throws {
    let folder = try TemporaryFolder()
    let window = architecture == "gpt-oss" ? Self.window : ""
    let text = Self.shape.replacingOccurrences(of: "OWN", with: own)
      .replacingOccurrences(of: "ARCHITECTURE", with: architecture)
      .replacingOccurrences(of: "QUANTIZATION", with: quantization)
      .replacingOccurrences(of: "WINDOW", with: window)
    try folder.write("small.json", text)
    let outcome = try Program.run(
      "bench", "--shape", folder.path("small.json"), "--prompt-tokens", "20", "--generate", "2",
      "--repetitions", "1", "--threads", "1", "--json")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.json["architecture"] as? String == architecture)
    let tests = try #require(outcome.json["tests"] as? [[String: Any]])
    #expect(tests.map { $0["test"] as? String } == ["pp20", "tg2"])
    #expect(tests.allSatisfy { ($0["tokensPerSecond"] as? Double ?? 0) > 0 })
    #expect((outcome.json["notes"] as? [String]) == [])
  }

  @Test
  func `made weights with made-up routing tell what a machine gives, before a model is there`()
    throws
  {
    let folder = try TemporaryFolder()
    let text = Self.shape.replacingOccurrences(of: "OWN", with: Self.grouped)
      .replacingOccurrences(of: "ARCHITECTURE", with: "qwen3moe")
      .replacingOccurrences(of: "QUANTIZATION", with: "Q4_K_M")
      .replacingOccurrences(of: "WINDOW", with: "")
    try folder.write("small.json", text)
    let outcome = try Program.run(
      "bench", "--shape", folder.path("small.json"), "--prompt-tokens", "4", "--generate", "2",
      "--threads", "1", "--device", "emulated", "--emulated-machine", "rtx-4090+ddr5",
      "--synthetic",
      "7", "--compare", "hybrimoe,all-gpu")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.output.contains("made weights, made-up routing, seed 7\n"))
    #expect(outcome.output.contains("times are modelled"))
    #expect(outcome.output.contains("emulated rtx-4090+ddr5"))
    #expect(outcome.output.contains("\nall-gpu "))
    #expect(!outcome.output.contains("differ"))
  }

  @Test func `an unknown shape is refused with the names that are known`() throws {
    let outcome = try Program.run("bench", "--shape", "mixtral-8x7")
    #expect(outcome.code == 1)
    #expect(outcome.error.contains("Is 'mixtral-8x7b' meant?"))
    #expect(outcome.error.contains("qwen3-30b-a3b"))
  }

  @Test func `a shape of an architecture that is not run is refused`() throws {
    let outcome = try Program.run("bench", "--shape", "glm-4.5-air")
    #expect(outcome.code == 1)
    #expect(outcome.error.contains("does not run"))
  }

  @Test func `a profile adds up to the time of a test`() throws {
    let outcome = try Program.run(
      "bench", "--prompt-tokens", "8", "--generate", "2", "--repetitions", "2", "--profile",
      "--threads", "1", "--json")
    #expect(outcome.code == 0, "\(outcome.error)")
    let tests = try #require(outcome.json["tests"] as? [[String: Any]])
    for test in tests {
      let seconds = try #require(test["seconds"] as? [Double]).reduce(0, +)
      let parts = try #require(test["parts"] as? [String: [String: Any]])
      let nanoseconds = parts.values.reduce(0) { $0 + ($1["nanoseconds"] as? Int ?? 0) }
      #expect(Double(nanoseconds) * 1e-9 <= seconds * 1.001)
      #expect(Double(nanoseconds) * 1e-9 >= seconds * 0.5)
      for name in ["expertGateUp", "expertDown", "outputHead"] {
        #expect((parts[name]?["operations"] as? Int ?? 0) > 0, "\(name)")
      }
    }
    let text = try Program.run(
      "bench", "--prompt-tokens", "8", "--generate", "0", "--repetitions", "1", "--profile")
    #expect(text.output.contains("experts, gate and up"))
  }

  @Test func `measurements are made on request`() throws {
    let outcome = try Program.run(
      "bench", "--serve", "--context", "64", input: "pp8 1\n\ntg2 1\nceilings 1\n")
    #expect(outcome.code == 0, "\(outcome.error)")
    let answers = try outcome.output.split(separator: "\n").map {
      try #require(
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(answers.count == 4)
    #expect(answers[0]["ready"] as? Bool == true)
    #expect(answers[1]["test"] as? String == "pp8")
    #expect((answers[2]["tokensPerSecond"] as? Double ?? 0) > 0)
    #expect((answers[2]["bytesRead"] as? Int ?? 0) > 0)
    #expect((answers[1]["operations"] as? Int ?? 0) > (answers[2]["operations"] as? Int ?? 0))
    let ceilings = try #require(answers[3]["ceilings"] as? [String: Any])
    #expect((ceilings["gigabytesPerSecond"] as? Double ?? 0) > 0)
  }

  @Test(arguments: ["xx8", "pp0", "pp8 0", "pp8 1 2", "pp65"])
  func `a request that cannot be run is refused`(request: String) throws {
    let outcome = try Program.run("bench", "--serve", "--context", "64", input: request + "\n")
    #expect(outcome.code == 1)
    #expect(outcome.error.hasPrefix("Error: "), "\(outcome.error)")
  }

  @Test(arguments: [
    ["--profile", "--kernels"], ["--csv", "--profile"], ["--shape", "x", "-m", "y"],
    ["--compare", "x"], ["--instruction-set", "none"],
  ])
  func `options that do not go together are refused`(options: [String]) throws {
    let outcome = try Program.run(["bench"] + options)
    #expect(outcome.code == 64)
  }

  @Test func `the median is the middle, or between the two in the middle`() {
    #expect(Measurement.median(of: []) == 0)
    #expect(Measurement.median(of: [3, 1, 2]) == 2)
    #expect(Measurement.median(of: [4, 1, 2, 3]) == 2.5)
  }

  @Test(arguments: ["pp", "tg0", "pp-1", "up8", ""])
  func `a name that is no test has no test`(name: String) {
    #expect(BenchmarkTest(name) == nil)
  }
}
