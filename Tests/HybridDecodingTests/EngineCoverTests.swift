import CPUCompute
import DeviceCompute
import Devices
import EmulatedDevice
import ExpertCaching
import ExpertDirection
import ExpertScheduling
import Experts
import HybridDecoding
import HybridExperts
import Models
import TestSupport
import Testing

/// One way to run the whole hybrid engine.
struct EngineRun: Sendable, CustomStringConvertible {
  static let models = [
    "mixtral-nano-F16", "deepseek2-nano-Q4_0", "deepseek3-nano-Q8_0", "qwen2moe-nano-F16",
    "qwen3moe-nano-Q5_0", "gpt-oss-nano-MXFP4_MOE", "mixtral-mini-Q4_K", "deepseek2-nano-F16",
    "gpt-oss-nano-F16",
  ]
  private static let evictions: [EvictionName?] = [
    nil, .auto, .mrs, .lru, .lfu, .lfru, .workload, .static,
  ]
  private static let prefetches: [SystemDescription.Prefetching] = [
    .off, .nextLayer, .paper, .impact,
  ]
  private static let prefetchSizes: [Int?] = [nil, 1, 3]
  private static let chunks = [1, 3, 9]
  /// Which lane is the quickest.
  private static let machines = 3
  private static let orders = 4
  static let levels = [
    models.count, SchedulerName.allCases.count, evictions.count, 4, prefetches.count,
    prefetchSizes.count, 2, chunks.count, machines, orders, 2, 2,
  ]
  static let few = PairwiseCover(levels: levels).rows.map { EngineRun($0) }
  /// Some of the ways for the bundled model, whose steps take longer.
  static let ofBundledModel = stride(from: 0, to: few.count, by: 14).map { index in
    var run = few[index]
    run.isBundledModel = true
    return run
  }
  let levels: [Int]
  var recordsTimeline = false
  var isBundledModel = false

  init(_ levels: [Int]) { self.levels = levels }

  var model: String { isBundledModel ? World.bundled : Self.models[levels[0]] }
  var chunk: Int { Self.chunks[levels[7]] }
  var machine: Int { levels[8] }
  /// nil: streams progress in the order of submission.
  var seed: UInt64? { levels[9] == 0 ? nil : UInt64(levels[9] * 100 + levels[0] * 10 + levels[3]) }
  var waitsForMemory: Bool { levels[10] == 0 }
  var pinsWeights: Bool { levels[11] == 0 }

  func system(experts: Int) -> SystemDescription {
    var system = SystemDescription(SchedulerName.allCases[levels[1]], cacheRatio: 0.5)
    if let eviction = Self.evictions[levels[2]] { system.eviction = eviction }
    system.cacheSlots = [1, 2, experts / 2, experts][levels[3]]
    system.prefetching = Self.prefetches[levels[4]]
    system.prefetchSize = Self.prefetchSizes[levels[5]]
    system.admission = levels[6] == 0 ? .bypass : .forced
    return system
  }

  var description: String {
    "\(model), \(system(experts: 8).scheduler.rawValue), eviction \(levels[2]), cache \(levels[3]), "
      + "prefetching \(Self.prefetches[levels[4]].rawValue) \(levels[5]), chunks of \(chunk), "
      + "machine \(machine), order \(seed.map { "\($0)" } ?? "plain"), "
      + "\(waitsForMemory ? "waits" : "no waits"), \(pinsWeights ? "pinned" : "staged")"
  }
}

/// A small model whose experts CPU, GPU and link of an emulated device share.
struct Engine {
  let decoder: HybridDecoder
  let executor: HybridExecutor
  let expected: CPUSequenceBackend
  let model: DecoderModel
  /// [MoE layers × experts]
  let popularity: [Double]
  static let pieceByteCount = 4096

  init(
    _ run: EngineRun, model known: DecoderModel? = nil,
    placement: DensePlacement = DensePlacement(), failures: [EmulatedFailure] = [],
    checksStreams: Bool = false,
    _ adjust: (inout EmulatedDevice.Configuration) -> Void = { _ in }
  ) throws {
    model = try known ?? World.load(run.model)
    let setup = SequenceSetup(
      model: model, compute: try CPUBackend(threadCount: 1), contextLength: 24,
      keyValueType: .f16, chunkTokenCount: run.chunk)
    var configuration = EmulatedDevice.Configuration(
      seed: run.seed, waitsForMemory: run.waitsForMemory, failures: failures)
    adjust(&configuration)
    let emulated = try EmulatedDevice(configuration)
    let device =
      checksStreams ? try StreamIndependence.checked(emulated) : emulated as any Device
    let layers = model.expertLayers
    var hybrid = HybridSetup(
      device: device, compute: setup.compute, layers: layers, store: model.store,
      lanes: try Engine.costs(model, machine: run.machine),
      system: run.system(experts: model.hyperparameters.expertCount), tokenCapacity: run.chunk)
    let experts = layers.count * model.hyperparameters.expertCount
    popularity = (0..<experts).map { Double($0 * 7 % 5) }
    hybrid.popularity = popularity
    hybrid.recordsTimeline = run.recordsTimeline
    hybrid.pinned.byteCount = run.pinsWeights ? .max : 0
    hybrid.pieceByteCount = Engine.pieceByteCount
    hybrid.checksPlans = true
    executor = try HybridExecutor(hybrid)
    decoder = try HybridDecoder(
      setup, device: device, serving: executor, placement: placement)
    expected = try CPUSequenceBackend(setup)
  }

  /// Lanes of comparable speed, one of them the quickest.
  static func costs(_ model: DecoderModel, machine: Int) throws -> LaneCostTable {
    let layers = model.expertLayers.sorted { $0.key < $1.key }.map(\.value)
    let costs = CostModel(
      cpu: [
        CostModel.defaultElementType: .init(
          firstMicroseconds: 3, bytesPerMicrosecond: machine == 0 ? 20_000 : 2000,
          parameterTokensPerMicrosecond: machine == 0 ? 40_000 : 4000)
      ],
      gpu: .init(
        launchMicroseconds: 4, expertMicroseconds: 2,
        bytesPerMicrosecond: machine == 1 ? 200_000 : 20_000, kneeTokens: 4,
        parameterTokensPerMicrosecond: 100_000),
      link: .init(
        latencyMicroseconds: 1, bytesPerMicrosecond: machine == 2 ? 40_000 : 3000,
        overlappedBytesPerMicrosecond: machine == 2 ? 30_000 : 2500),
      handshakeMicroseconds: 5)
    return try LaneCostTable(
      model: costs,
      layers: layers.map { layer in
        let matrices = [layer.gate[0], layer.up[0], layer.down[0]]
        let bytes = matrices.reduce(0) { $0 + $1.byteCount }
        let parameters = matrices.reduce(0) { $0 + $1.rowCount * $1.columnCount }
        return LaneCostTable.Layer(
          footprint: ExpertFootprint(hostBytes: bytes, parameters: parameters, elementType: "any"),
          attention: .init(fixedMicroseconds: 30, microsecondsPerToken: 2))
      }, expertCount: model.hyperparameters.expertCount,
      activatedCount: model.hyperparameters.activeExpertCount)
  }
}

@Suite struct EngineCoverTests {
  @Test(arguments: EngineRun.few)
  func `the hybrid engine's logits and routing are the processor's, bit for bit`(
    _ run: EngineRun
  ) throws {
    try compare(run, promptLength: 9, answerLength: 5)
  }

  @Test(arguments: EngineRun.ofBundledModel)
  func `so are the bundled model's`(_ run: EngineRun) throws {
    try compare(run, promptLength: 4, answerLength: 2)
  }

  private func compare(_ run: EngineRun, promptLength: Int, answerLength: Int) throws {
    let engine = try Engine(run)
    let vocabulary = engine.model.hyperparameters.vocabularySize
    let prompt = (0..<promptLength).map { ($0 * 37 + 101 + $0 * $0 * 7) % vocabulary }
    let answer = (0..<answerLength).map { ($0 * 53 + 11) % vocabulary }
    let (found, expected) = (Recorder(), Recorder())
    let isSame =
      try engine.decoder.bits(prompt: prompt, chunk: run.chunk, answer: answer, observer: found)
      == engine.expected.bits(
        prompt: prompt, chunk: run.chunk, answer: answer, observer: expected)
    #expect(isSame, "\(run)")
    #expect(found.bits == expected.bits, "\(run)")
    let report = engine.executor.report
    #expect(report[.decode].activated > 0)
    #expect(report[.decode].plans == engine.model.expertLayers.count * answer.count)
  }
}
