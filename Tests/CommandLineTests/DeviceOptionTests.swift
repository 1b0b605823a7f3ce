import ExpertCaching
import ExpertScheduling
import ExpertSimulation
import Foundation
import Models
import Placement
import Testing

@testable import hybrimoe

@Suite struct `Options of the machine` {
  private func machine(_ arguments: String...) throws -> MachineOptions {
    try MachineOptions.parse(arguments)
  }

  @Test func `a device is named in one of four ways`() {
    #expect(DeviceChoice(argument: "auto") == .automatic)
    #expect(DeviceChoice(argument: "cpu") == .cpu)
    #expect(DeviceChoice(argument: "cuda") == .cuda(0))
    #expect(DeviceChoice(argument: "cuda:12") == .cuda(12))
    #expect(DeviceChoice(argument: "emulated") == .emulated)
    for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda:10000", "CUDA:0", "emulated:1"] {
      #expect(DeviceChoice(argument: wrong) == nil, "\(wrong)")
    }
  }

  @Test func `both spellings of the published options are known`() throws {
    let options = try machine(
      "--cache_size", "3", "--prefetch_size", "2", "--optimize_rule_path", "a.yaml", "--cpu_infer",
      "4"
    )
    #expect(options.hybrid.cacheSize == 3 && options.hybrid.prefetchSize == 2)
    #expect(options.hybrid.optimizeRulePath == "a.yaml" && options.threads == 4)
    #expect(
      try machine("--optimize_config_path", "b.yaml").hybrid.optimizeRulePath == "b.yaml")
    #expect(
      options.hybrid.given == ["--cache-size", "--optimize-rule-path", "--prefetch-size"])
  }

  @Test func `memory is given in bytes or as a share`() throws {
    #expect(try machine("--gpu-memory", "8G").hybrid.gpuMemory == .bytes(8 << 30))
    #expect(try machine("--gpu-memory", "8GB").hybrid.gpuMemory == .bytes(8_000_000_000))
    #expect(try machine("--gpu-memory", "80%").hybrid.gpuMemory == .share(0.8))
    #expect(throws: (any Error).self) { try machine("--gpu-memory", "101%") }
    #expect(throws: (any Error).self) { try machine("--gpu-memory", "much") }
  }

  static let refusals: [([String], String)] = [
    (["--cache-size", "1", "--cache-ratio", "0.5"], "not both"),
    (["--cache-size", "-1"], "at least 0 experts"),
    (["--cache-ratio", "1.5"], "from 0 to 1"),
    (["--prefetch-size", "-2"], "at least 0 experts"),
    (["--scheduler", "ktransformers", "--prefetch-size", "2"], "no copies ahead"),
    (["--scheduler", "all-cpu", "--admission", "bypass"], "never changes"),
    (["--scheduler", "dali", "--eviction", "lru", "--admission", "bypass"], "always admits"),
    (["--eviction", "min"], "knows the future"),
    (["--eviction", "least-stale"], "one cache over all layers"),
    (["--emulated-failure", "memory:1"], "add that"),
    (["--device", "emulated", "--emulated-failure", "fire:1"], "invalid"),
    (["--device", "gpu"], "'auto', 'cpu', 'cuda:N' or 'emulated'"),
  ]

  @Test(arguments: refusals)
  func `what makes no sense is refused with a reason`(arguments: [String], part: String) throws {
    let outcome = try Program.run(["run", "-p", "a"] + arguments)
    #expect(outcome.code == 64 && outcome.output.isEmpty)
    #expect(outcome.error.contains(part), "\(outcome.error)")
  }

  @Test func `a system has the parts that were asked for`() throws {
    let options = try machine(
      "--scheduler", "hybrimoe", "--eviction", "lru", "--prefetch-size", "0")
    let system = try #require(
      try options.hybrid.wish.systems([.hybrimoe], cacheRatio: 0.5).first)
    #expect(system.eviction == .lru && system.prefetching == .off)
    #expect(system.admission == .forced, "LRU admits everything")
  }

  @Test func `options that need a GPU are named once where there is none`() throws {
    let outcome = try Program.run(
      "run", "-m", Program.endlessModel, "-p", "a", "-n", "1", "--cache_size", "3", "--scheduler",
      "dali", "--timeline-svg", "/nonexistent/a.svg", "--emulated-machine", "rtx-4090")
    #expect(outcome.code == 0)
    #expect(
      outcome.error == """
        Warning: --cache-size, --scheduler, --emulated-machine, --timeline-svg: no effect with --device cpu.

        """)
  }
}

@Suite struct `The line about a placement` {
  private func plan(
    slots: SlotWish, memory: Int = 8 << 30
  ) throws -> PlacementPlan {
    let catalog = ProfileCatalog(environment: [:])
    var request = PlacementRequest(
      machine: try catalog.machine("rtx-3090+ddr4"), shape: try catalog.shape("deepseek-v2-lite"),
      context: 4096)
    request.slots = slots
    request.gpuMemoryBytes = memory
    return PlacementPlanner.plan(request)
  }

  @Test func `tells what is on the GPU, how full it is and what to expect`() throws {
    let text = PlanLine(try plan(slots: .perLayer(12))).text
    #expect(
      text.wholeMatch(
        of:
          /GPU: attention and 12 of 64 experts in each of 26 layers \(\d\.\d of 8\.6 GB\); CPU: the rest; about \d+ tokens\/s expected/
      ) != nil, "\(text)")
    #expect(
      PlanLine(try plan(slots: .perLayer(0))).text.hasPrefix("GPU: all but the routed experts ("))
    let whole = PlanLine(try plan(slots: .asFit, memory: 24 << 30)).text
    #expect(whole.hasPrefix("GPU: the whole model ("))
    #expect(whole.contains("CPU: the token embeddings;"))
  }

  @Test func `two amounts have one unit where they are of one size`() {
    #expect(PlanLine.pair(5_100_000_000, 8_000_000_000) == "5.1 of 8.0 GB")
    #expect(PlanLine.pair(12_345, 8_000_000) == "12.3 kB of 8.00 MB")
    #expect(PlanLine.pair(1, 2) == "1 of 2 B")
  }

  @Test func `an expectation has two digits`() {
    #expect(
      [3.14159, 31.4159, 314.159, 3141.59].map(PlanLine.speed) == ["3.1", "31", "310", "3100"])
  }

  @Test func `a context is cut until its cache leaves room`() throws {
    let catalog = ProfileCatalog(environment: [:])
    var request = PlacementRequest(
      machine: try catalog.machine("rtx-3090+ddr4"), shape: try catalog.shape("deepseek-v2-lite"),
      context: 163_840)
    request.gpuMemoryBytes = 6 << 30
    let context = EnginePlanner.context(request) { PlacementPlanner.plan($0).denseFits }
    #expect(context < 163_840 && context >= 2048)
    request.context = context
    #expect(PlacementPlanner.plan(request).denseFits)
    request.context = 512
    #expect(
      EnginePlanner.context(request) { PlacementPlanner.plan($0).denseFits } == 512,
      "a short context stays")
  }
}

@Suite struct `How often experts are used` {
  /// Sees what is passed on.
  private final class Watcher: StepObserver {
    var readsScores: Bool { true }
    var layers: [Int] = []
    func didRoute(_ routing: LayerRouting) { layers.append(routing.layer) }
  }

  @Test func `is counted for each expert, and everything is passed on`() throws {
    let catalog = ProfileCatalog(environment: [:])
    let shape = try catalog.shape("mixtral-8x7b")
    let machine = try SimulatedMachine(profile: catalog.machine("rtx-3090"), shape: shape)
    let counter = PopularityCounter(machine, layers: Array(0..<shape.moeLayerCount))
    #expect(!counter.readsScores)
    let watcher = Watcher()
    counter.inner = watcher
    #expect(counter.readsScores)
    for layer in [0, 2, 2, 99] {
      counter.didRoute(
        LayerRouting(
          layer: layer, ranks: 2, ids: [1, 7], weights: [0.5, 0.5], scores: [], predicted: []))
    }
    #expect(watcher.layers == [0, 2, 2, 99])
    #expect(counter.counts.reduce(0, +) == 6)
    #expect(counter.counts[1] == 1 && counter.counts[2 * 8 + 7] == 2)
  }
}

@Suite struct `A card without a profile` {
  @Test(arguments: [
    ("NVIDIA GeForce RTX 4090", "rtx-4090"), ("NVIDIA A100-SXM4-80GB", "a100"),
    ("NVIDIA H100 80GB HBM3", "h200"), ("NVIDIA GeForce RTX 5070 Ti", "rtx-5090"),
    ("Tesla T4", "rtx-3090"),
  ])
  func `is taken for the most similar one that is known`(name: String, profile: String) throws {
    #expect(MachineProfile.similarCard(name) == profile)
    #expect(throws: Never.self) { try ProfileCatalog(environment: [:]).machine(profile) }
  }

  @Test func `leaves a margin of free memory`() {
    #expect(MachineProfile.margin(24 << 30) == 768 << 20)
    #expect(MachineProfile.margin(4 << 30) == 256 << 20)
    #expect(MachineProfile.margin(1 << 20) == 1 << 17)
  }

  @Test func `has measured costs in place of assumed ones`() throws {
    var machine = try ProfileCatalog(environment: [:]).machine("rtx-3090+ddr4")
    var costs = machine.costModel
    costs.gpu.launchMicroseconds = 3
    costs.link.bytesPerMicrosecond = 9000
    costs.link.overlappedBytesPerMicrosecond = 6000
    costs.handshakeMicroseconds = 11
    machine.take(costs)
    #expect(machine.costModel == costs)
  }
}
