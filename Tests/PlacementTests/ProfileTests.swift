import Experts
import Placement
import TestSupport
import Testing

@Suite struct `Machine profiles` {
  @Test(arguments: try profileNames(in: "machines"))
  func `every machine gives a cost model in which a faster lane is a larger number`(
    _ name: String
  ) throws {
    let machine = try machine(name)
    let costs = machine.costModel
    #expect(costs.link.overlappedBytesPerMicrosecond <= costs.link.bytesPerMicrosecond)
    #expect(costs.gpu.bytesPerMicrosecond > costs.link.bytesPerMicrosecond)
    for shape in try profileNames(in: "shapes") {
      let shape = try PlacementTests.shape(shape)
      for layer in [0, shape.moeLayerCount - 1] {
        let layerCosts = try #require(machine.layerCosts(of: shape, layer: layer, tokens: 1))
        #expect(layerCosts.linkPerExpertAlone <= layerCosts.linkPerExpert)
        #expect(layerCosts.cpu(load: 1) > 0 && layerCosts.gpu(load: 1) > 0)
        #expect(
          (layerCosts.sharedOnGPU > 0) == (shape.layers[shape.moeLayers[layer]].shared.bytes > 0))
      }
    }
  }

  @Test func `the slower end of the link counts`() throws {
    #expect(try machine("rtx-5090", host: "ddr4").linkBytesPerMicrosecond == 25_500)
    #expect(try machine("rtx-3090", host: "ddr5").linkBytesPerMicrosecond == 25_800)
    #expect(try machine("paper").linkBytesPerMicrosecond == 10_350)
  }

  @Test func `a system with a format of its own on the GPU copies fewer bytes than the CPU reads`()
    throws
  {
    let footprint = try machine("paper").expertFootprint(of: shape("qwen2-57b-a14b"), layer: 0)
    // 3 × 2560 × 3584 weights at half a byte.
    #expect(footprint.linkBytes == 13_762_560)
    #expect(footprint.hostBytes == 17_848_320)
    let same = try machine("rtx-3090").expertFootprint(of: shape("qwen2-57b-a14b"), layer: 0)
    #expect(same.linkBytes == same.hostBytes)
  }

  @Test func `dense times are the sum of start, reading and multiplying`() throws {
    let machine = try machine("rtx-3090")
    let shape = try shape("qwen3-30b-a3b")
    // Attention: 4 projections of 2048 × (4096 + 512 + 512 + 4096) weights, F32 norms, F32 router.
    let layer = shape.layers[5]
    let bytes = Double(layer.attention.bytes + layer.router.bytes)
    let weights = Double(layer.attention.parameters + layer.router.parameters)
    #expect(layer.attention.parameters == 2048 * (4096 + 512 + 512 + 4096) + 2 * 2048)
    let cache = Double(1000 * 4 * 2 * 128 * 2)
    let expected =
      50 + (bytes + cache) / 702_000
      + (weights * 10 + 10 * (1000 - 4.5) * 32 * 256) / 14_200_000
    let time = machine.denseMicroseconds(of: shape, modelLayer: 5, tokens: 10, context: 1000)
    #expect(abs(time / expected - 1) < 1e-9)
  }

  @Test func `a window bounds the cache of its layers`() throws {
    let shape = try shape("gpt-oss-20b")
    // 8 heads × (64 + 64) elements × 2 bytes for each position: 12 layers keep 128, 12 keep all.
    #expect(shape.keyValueBytes(context: 10_000, type: .f16) == 2048 * 12 * (128 + 10_000))
    #expect(shape.keyValueBytes(context: 100, type: .f16) == 2048 * 24 * 100)
    #expect(
      try PlacementTests.shape("deepseek-v2-lite").keyValueBytes(context: 1, type: .q8_0)
        == 27 * 576 / 32 * 34)
  }

  // MARK: Wrong files

  private static let machineText = """
    {"kind": "machine", "name": "m", "title": "t", "host": "ddr4",
     "gpu": {"memory": {"value": 24, "unit": "GiB", "source": "s"},
      "margin": {"value": 512, "unit": "MiB", "source": "s"},
      "read": {"value": 0.9, "unit": "TB/s", "source": "s"},
      "multiply": {"value": 71, "unit": "TFLOPS", "source": "s"},
      "launch": {"value": 10, "unit": "us", "source": "s"},
      "expert": {"value": 0.002, "unit": "ms", "source": "s"},
      "knee": {"value": 12, "unit": "tokens", "source": "s"},
      "layer": {"value": 50, "unit": "us", "source": "s"},
      "handshake": {"value": 20, "unit": "us", "source": "s"}},
     "link": {"bandwidth": {"value": 25, "unit": "GB/s", "source": "s"},
      "latency": {"value": 8, "unit": "us", "source": "s"}}}
    """

  @Test func `units are converted`() throws {
    let gpu = try GPUProfile.machine(text: Self.machineText).gpu
    #expect(gpu.memoryBytes == 24 << 30 && gpu.marginBytes == 512 << 20)
    #expect(gpu.bytesPerMicrosecond == 900_000)
    #expect(gpu.parameterTokensPerMicrosecond == 35_500_000)
    #expect(gpu.expertMicroseconds == 2 && gpu.kneeTokens == 12)
  }

  static let slips: [(from: String, to: String, message: String)] = [
    ("\"TB/s\"", "\"TB\"", "m.json: gpu.read has the unit 'TB'; use GB/s"),
    (
      "{\"value\": 12, ", "{\"value\": 12.5, ",
      "m.json: gpu.knee is 12.5, but must be a whole number"
    ),
    ("{\"value\": 12, ", "{\"value\": \"12\", ", "m.json: gpu.knee.value must be a number"),
    ("{\"value\": 12, ", "{\"value\": -1, ", "m.json: gpu.knee is -1 tokens, but must be from 0"),
    ("{\"value\": 24, ", "{\"value\": 1e300, ", "m.json: gpu.memory is"),
    ("\"knee\"", "\"kneee\"", "m.json: gpu has 'kneee', which has no meaning there; known are"),
    (
      ", \"source\": \"s\"},\n  \"launch\"", "},\n  \"launch\"",
      "m.json: gpu.multiply lacks 'source'"
    ),
    (
      "\"source\": \"s\"},\n  \"launch\"", "\"source\": \" \"},\n  \"launch\"",
      "gpu.multiply has an empty source"
    ),
    ("\"machine\"", "\"host\"", "m.json: kind is 'host', but must be one of machine"),
    ("\"name\": \"m\"", "\"name\": 3", "m.json: name must be a text"),
    ("\"link\": {", "\"link\": [", "m.json is no JSON document: line"),
    (
      "\"title\": \"t\"", "\"title\": \"t\", \"title\": \"t\"", "m.json is no JSON document: line 1"
    ),
    ("\"host\": \"ddr4\"", "\"host\": {}", "m.json: host lacks 'name'"),
  ]

  @Test(arguments: slips)
  func `a slip in a file is refused with its place`(
    _ slip: (from: String, to: String, message: String)
  ) throws {
    try #require(Self.machineText.contains(slip.from))
    let text = Self.machineText.replacing(slip.from, with: slip.to, maxReplacements: 1)
    let error = try #require(throws: ProfileError.self) {
      try GPUProfile.machine(text: text, file: "m.json")
    }
    #expect(error.description.contains(slip.message), "\(error)")
  }

  @Test func `a host must serve every element type`() throws {
    let text = try profileText("hosts/ddr4").replacing("\"*\"", with: "\"Q4_K\"")
    let error = try #require(throws: ProfileError.self) { try HostProfile(text: text, file: "h") }
    #expect(error.description.contains("h: cpu lacks '*'"))
  }

  static let shapeSlips: [(from: String, to: String, message: String)] = [
    (
      "\"denseLayers\": {\"value\": 1", "\"denseLayers\": {\"value\": 27",
      "denseLayers is 27 layers"
    ),
    ("\"dense\":", "\"densé\":", "has 'densé'"),
    ("\"latent\"", "\"linear\"", "attention.kind is 'linear'"),
    ("\"latent\"", "\"grouped\"", "attention has 'keyValueRank'"),
    ("{\"value\": 6, ", "{\"value\": 65, ", "experts.activated is 65 experts"),
    ("Q4_K_M", "Q4_X", "quantization is 'Q4_X'"),
    ("\"unit\": \"layers\"", "\"unit\": \"layer\"", "layers has the unit 'layer'; use layers"),
  ]

  @Test(arguments: shapeSlips)
  func `a slip in a shape is refused with its place`(
    _ slip: (from: String, to: String, message: String)
  ) throws {
    let original = try profileText("shapes/deepseek-v2-lite")
    try #require(original.contains(slip.from))
    let text = original.replacing(slip.from, with: slip.to, maxReplacements: 1)
    let error = try #require(throws: ProfileError.self) { try ModelShape(text: text) }
    #expect(error.description.contains(slip.message), "\(error)")
  }

  @Test func `damaged profiles are read or refused, never a trap`() throws {
    var random = SeededGenerator(seed: 5)
    let texts = try ["machines/paper", "hosts/epyc", "shapes/gpt-oss-20b"].map(profileText)
    let planned = try machine("rtx-3090")
    let pieces = ["9", "-", "e99", ".", "\"", "null", "{}", "[", "0", "99999999999999999999"]
    for _ in 0..<600 {
      var text = texts.randomElement(using: &random) ?? ""
      let digits = text.indices.filter { text[$0].isNumber }
      let place = digits.randomElement(using: &random) ?? text.startIndex
      text.replaceSubrange(
        place...place, with: pieces.randomElement(using: &random) ?? "")
      if let gpu = try? GPUProfile.machine(text: text).gpu,
        let host = try? HostProfile(text: texts[1])
      {
        _ = MachineProfile(gpu: gpu, host: host).costModel
      }
      _ = try? HostProfile(text: text)
      if let shape = try? ModelShape(text: text) {
        _ = PlacementPlanner.plan(
          PlacementRequest(machine: planned, shape: shape, context: 4096))
      }
    }
  }
}
