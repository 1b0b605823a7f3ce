import Experts
import Glibc
import OrderedJSON
import TestSupport
import Testing

@testable import Placement

/// A machine and a model drawn at random, small enough that every kind of plan comes up.
private struct World {
  /// Read once; worlds are many.
  private static let known = Result {
    (
      machines: try profileNames(in: "machines").map { try PlacementTests.machine($0) },
      shapes: try profileNames(in: "shapes").map(PlacementTests.shape)
    )
  }

  var request: PlacementRequest

  init(_ random: inout SeededGenerator) throws {
    let known = try Self.known.get()
    var machine = try #require(known.machines.randomElement(using: &random))
    machine.host = try #require(known.machines.randomElement(using: &random)).host
    machine.host.memoryBytes = Int.random(in: 0...400, using: &random) << 20
    machine.host.marginBytes = Int.random(in: 0...20, using: &random) << 20
    machine.gpu.memoryBytes = Int.random(in: 0...300, using: &random) << 20
    machine.gpu.marginBytes = Int.random(in: 0...20, using: &random) << 20
    var shape = try #require(known.shapes.randomElement(using: &random))
    // A model of a published form and a hundredth of its size.
    shape = Self.small(shape, layers: Int.random(in: 1...6, using: &random), &random)
    request = PlacementRequest(
      machine: machine, shape: shape, context: Int.random(in: 1...4000, using: &random))
    request.keyValueType = KeyValueElement.allCases.randomElement(using: &random) ?? .f16
    request.promptTokens = Int.random(in: 1...600, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: request.slots = .perLayer(Int.random(in: 0...20, using: &random))
    case 1: request.slots = .ratio(Double.random(in: 0...1, using: &random))
    default: break
    }
    if Bool.random(using: &random) {
      request.wishes = shape.layers.map { _ in
        LayerWish(
          attention: Int.random(in: 0..<4, using: &random) == 0 ? .cpu : .gpu,
          feedForward: Int.random(in: 0..<4, using: &random) == 0 ? .cpu : .gpu,
          experts: ExpertPlacement.allCases.randomElement(using: &random) ?? .cached)
      }
    }
  }

  private static func small(
    _ shape: ModelShape, layers: Int, _ random: inout SeededGenerator
  ) -> ModelShape {
    func small(_ share: WeightShare) -> WeightShare {
      WeightShare(bytes: share.bytes / 20, parameters: share.parameters / 20)
    }
    let experts = Int.random(in: 2...12, using: &random)
    let kept = shape.layers.prefix(layers).map { layer in
      var layer = layer
      layer.attention = small(layer.attention)
      layer.router = small(layer.router)
      layer.shared = small(layer.shared)
      layer.denseFeedForward = small(layer.denseFeedForward)
      layer.experts = layer.experts.map { old in
        var footprint = old.footprint
        footprint.hostBytes /= 20
        footprint.linkBytes /= 20
        footprint.parameters /= 20
        return ExpertLayer(
          count: experts, activated: min(old.activated, experts), footprint: footprint)
      }
      return layer
    }
    return ModelShape(
      name: shape.name, title: shape.title, architecture: shape.architecture,
      quantization: shape.quantization, hiddenSize: shape.hiddenSize,
      vocabularySize: shape.vocabularySize / 20, layers: Array(kept),
      embedding: small(shape.embedding), output: small(shape.output))
  }
}

@Suite struct `The planner` {
  /// The same seeds every time; a failure prints its own.
  static let seeds = Array(UInt64(1)...300)

  @Test func `parts sum to the memory, and slots never exceed experts`() throws {
    for seed in Self.seeds {
      var random = SeededGenerator(seed: seed)
      let plan = PlacementPlanner.plan(try World(&random).request)
      #expect(plan.gpuParts.reduce(0) { $0 + $1.bytes } == plan.gpuBytes, "seed \(seed)")
      #expect(plan.gpuParts.allSatisfy { $0.bytes > 0 }, "seed \(seed)")
      let host = plan.hostParts.reduce(0) { $0 + $1.bytes }
      if plan.hostFits {
        #expect(host == plan.hostBytes, "seed \(seed)")
      } else {
        #expect(host > plan.hostBytes && plan.speed == nil, "seed \(seed)")
      }
      #expect(plan.pinnedBytes <= plan.hostBytes, "seed \(seed)")
      for (layer, wish) in zip(plan.layers, plan.layers.indices.map(plan.request.wish)) {
        let limit =
          wish.experts == .gpu
          ? layer.expertCount : plan.request.slots.limit(experts: layer.expertCount)
        #expect((0...limit).contains(layer.slots), "seed \(seed)")
        if wish.experts == .cpu { #expect(layer.slots == 0, "seed \(seed)") }
        if wish.attention == .cpu { #expect(layer.attention == .cpu, "seed \(seed)") }
        if wish.feedForward == .cpu { #expect(layer.feedForward == .cpu, "seed \(seed)") }
      }
      if let speed = plan.speed {
        #expect(speed.decodeMicroseconds > 0 && speed.decodeMicroseconds.isFinite, "seed \(seed)")
        #expect(speed.prefillMicroseconds > 0 && speed.prefillMicroseconds.isFinite, "seed \(seed)")
        #expect((0...1).contains(speed.hitRate), "seed \(seed)")
      }
    }
  }

  @Test func `more GPU memory takes nothing away from any layer`() throws {
    for seed in Self.seeds {
      var random = SeededGenerator(seed: seed)
      var request = try World(&random).request
      request.gpuMemoryBytes = request.machine.gpu.memoryBytes / 2
      let less = PlacementPlanner.plan(request)
      request.gpuMemoryBytes =
        request.machine.gpu.memoryBytes / 2 + Int.random(in: 0...(30 << 20), using: &random)
      let more = PlacementPlanner.plan(request)
      for (before, after) in zip(less.layers, more.layers) {
        #expect(after.slots >= before.slots, "seed \(seed)")
        #expect(before.attention == .cpu || after.attention == .gpu, "seed \(seed)")
        #expect(before.feedForward == .cpu || after.feedForward == .gpu, "seed \(seed)")
      }
      #expect(before(less) <= before(more), "seed \(seed)")
    }
  }

  private func before(_ plan: PlacementPlan) -> Int { plan.output == .gpu ? 1 : 0 }

  @Test func `more GPU memory is never slower, as long as all dense parts fit`() throws {
    var compared = 0
    for seed in Self.seeds {
      var random = SeededGenerator(seed: seed)
      var request = try World(&random).request
      request.machine.host.memoryBytes = 64 << 30
      var last: PlacementSpeed?
      for step in 0..<12 {
        request.gpuMemoryBytes = request.machine.gpu.memoryBytes * (step + 1) / 12
        let plan = PlacementPlanner.plan(request)
        guard plan.denseFits, let speed = plan.speed else { continue }
        if let last {
          compared += 1
          #expect(
            speed.decodeMicroseconds <= last.decodeMicroseconds * (1 + 1e-12), "seed \(seed)")
          #expect(
            speed.prefillMicroseconds <= last.prefillMicroseconds * (1 + 1e-12), "seed \(seed)")
        }
        last = speed
      }
    }
    #expect(compared > 500)
  }

  @Test func `a longer context or a larger type never leaves more slots`() throws {
    for seed in Self.seeds.prefix(200) {
      var random = SeededGenerator(seed: seed)
      var request = try World(&random).request
      let short = PlacementPlanner.plan(request)
      // The workspace is made for at most 512 tokens, so only the cache grows beyond.
      request.context += Int.random(in: 0...2000, using: &random)
      #expect(PlacementPlanner.plan(request).slotCount <= short.slotCount, "seed \(seed)")
      request.keyValueType = .f32
      #expect(PlacementPlanner.plan(request).slotCount <= short.slotCount, "seed \(seed)")
    }
  }

  @Test func `what is given up comes in the documented order`() throws {
    var request = PlacementRequest(
      machine: try machine("rtx-3090"), shape: try shape("qwen3-30b-a3b"), context: 8192)
    request.slots = .perLayer(64)
    let names = (0...60).reversed().map { step -> String in
      request.gpuMemoryBytes = (700 + step * 200) << 20
      let kinds = PlacementPlanner.plan(request).reductions.map { "\($0)".prefix { $0 != "(" } }
      return kinds.joined(separator: " ")
    }
    var order: [String] = []
    for name in names where order.last != name { order.append(name) }
    #expect(
      order == [
        "", "fewerSlots", "fewerSlots noCopies attentionOnCPU",
        "fewerSlots noCopies attentionOnCPU outputOnCPU",
        "fewerSlots noCopies attentionOnCPU outputOnCPU feedForwardOnCPU",
      ])
  }

  @Test func `a plan explains itself in words and as JSON`() throws {
    let request = PlacementRequest(
      machine: try machine("rtx-3090"), shape: try shape("qwen2-57b-a14b"), context: 8192)
    let plan = PlacementPlanner.plan(request)
    let words = PlacementExplanation(plan)
    #expect(words.summary.hasPrefix("Qwen2-57B-A14B (Q4_K_M) on rtx-3090+ddr4: fits, with "))
    #expect(words.sentences.contains { $0.contains("\(plan.slotCount) of 1792 routed experts") })
    let json = try JSONValue(parsing: plan.json.text)
    #expect(json == plan.json)
    var large = request
    large.shape = try shape("deepseek-v3")
    #expect(PlacementExplanation(PlacementPlanner.plan(large)).summary.contains("does not fit"))
    var long = request
    long.context = 1_000_000
    let tooLong = PlacementExplanation(PlacementPlanner.plan(long))
    #expect(tooLong.reductions.contains { $0.contains("moves to the CPU") })
    // The advice is right to the token.
    let match = tooLong.advice.joined().firstMatch(of: /--context (\d+) or less/)
    let fits = try #require(match.flatMap { Int($0.1) })
    long.context = fits
    #expect(PlacementPlanner.plan(long).denseFits)
    long.context = fits + 1
    #expect(!PlacementPlanner.plan(long).denseFits)
  }

  @Test func `every published shape on every machine gives a plan that runs or says why not`()
    throws
  {
    for machine in try profileNames(in: "machines") {
      for shape in try profileNames(in: "shapes") {
        let plan = PlacementPlanner.plan(
          PlacementRequest(
            machine: try PlacementTests.machine(machine), shape: try PlacementTests.shape(shape),
            context: 8192))
        #expect((plan.speed == nil) == !plan.hostFits)
        #expect(plan.denseFits, "dense parts of all shapes fit all cards")
      }
    }
  }

  @Test func `assumed hit rates meet the published ones at a quarter`() {
    #expect(abs(PlacementSpeed.assumedHitRate(slots: 16, experts: 64) - 0.5275) < 0.003)
    #expect(abs(PlacementSpeed.assumedHitRate(slots: 2, experts: 8) - 0.362) < 0.003)
    #expect(PlacementSpeed.assumedHitRate(slots: 0, experts: 64) == 0)
    #expect(PlacementSpeed.assumedHitRate(slots: 64, experts: 64) == 1)
  }

  @Test func `powers are those of the C library`() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<10_000 {
      let base = Double.random(in: 0...1, using: &random)
      let exponent = Double.random(in: 0...600, using: &random)
      let expected = pow(base, exponent)
      #expect(abs(power(base, exponent) - expected) <= 1e-11 * expected + 1e-300)
    }
    #expect(power(0, 2) == 0 && power(0.5, 0) == 1 && power(1, 1e9) == 1)
  }
}
