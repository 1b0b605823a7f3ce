import CPUCompute
import DeviceCompute
import Devices
import Experts
import Models

/// Measures what a model's experts cost on this machine: each lane with the very code that serves layers,
/// CPU and link busy at the same time, as plans use them.
///
/// It needs device memory for a few slots, which is free again when it is done. On a device whose clock
/// is a model, the CPU's times come from a model too (`hostTimes`), so that everything fits together.
public final class WarmUp {
  /// What is to be measured.
  public struct Plan: Sendable {
    /// Tokens of an expert.
    public var loads = [1, 2, 4, 8, 32]
    /// Experts in one go.
    public var expertCounts = [1, 2, 4, 8]
    /// Each figure is the least of so many.
    public var repetitions = 3
    /// How long copies are timed.
    public var linkMilliseconds = 20.0

    public init() {}
  }

  /// Microseconds that the CPU takes for a batch of experts, in place of its own; for modelled clocks.
  public typealias HostTimes = (CostPoint) -> Double

  private let device: any Device
  private let plan: Plan
  private let hostTimes: HostTimes?
  private let footprints: [ExpertFootprint]
  private let layers: [ExpertLayer]
  private let numbers: [Int]
  private let compute: CPUBackend
  private let meter: LinkMeter
  private let largestLink: Int

  /// - Parameters:
  ///   - layers: the routed experts by layer number of the file.
  ///   - footprints: their sizes, by MoE layer; their element types are the keys of the cost model.
  /// - Throws: `DeviceError`, `HostMemoryError`.
  public init(
    _ device: any Device, compute: CPUBackend, layers: [Int: ExpertLayer],
    footprints: [ExpertFootprint], plan: Plan = Plan(), hostTimes: HostTimes? = nil
  ) throws {
    precondition(layers.count == footprints.count && !layers.isEmpty)
    self.device = device
    self.compute = compute
    self.plan = plan
    self.hostTimes = hostTimes
    self.footprints = footprints
    numbers = layers.keys.sorted()
    self.layers = numbers.compactMap { layers[$0] }
    largestLink = device.properties.isEmulated ? 8 << 20 : 64 << 20
    meter = try LinkMeter(device, try DeviceOperations(device), byteCount: largestLink)
  }

  /// Measures all lanes and fits the cost model.
  /// - Throws: `DeviceError`, `HostMemoryError`, `HybridError`; `CostFitError` where the times make no
  ///   sense.
  public func measure() throws -> MeasuredCosts {
    var costs = MeasuredCosts()
    var gpuPoints: [CostPoint] = []
    for (place, footprint) in footprints.enumerated() {
      let isNew = costs.model.cpu[footprint.elementType] == nil
      let bench = try LaneBench(
        device, compute: compute, layer: layers[place], number: numbers[place],
        footprint: footprint, mostTokens: plan.loads.max() ?? 1)
      if isNew {
        let points = try cpuPoints(bench)
        let fit = try CostModel.CPU.fit(points)
        costs.model.cpu[footprint.elementType] = fit.part
        costs.note("cpu \(footprint.elementType)", fit)
      }
      guard isNew || gpuPoints.isEmpty else { continue }
      gpuPoints += try self.gpuPoints(bench)
      // A second size tells what an expert takes beside its bytes.
      if let small = try bench.smaller(device, compute: compute) {
        gpuPoints += try self.gpuPoints(small)
      }
    }
    try fitGPU(gpuPoints, into: &costs)
    let bench = try LaneBench(
      device, compute: compute, layer: layers[0], number: numbers[0], footprint: footprints[0],
      mostTokens: 1)
    let link = try CostModel.Link.fit(try linkPoints(bench))
    costs.model.link = link.part
    costs.note("link", link)
    costs.model.handshakeMicroseconds = try meter.handshakeMicroseconds()
    return costs
  }

  private func fitGPU(_ points: [CostPoint], into costs: inout MeasuredCosts) throws {
    let fit = try CostModel.GPU.fit(points)
    costs.model.gpu = fit.part
    costs.note("gpu", fit)
  }

  // MARK: The lanes

  private func cpuPoints(_ bench: LaneBench) throws -> [CostPoint] {
    try points(bench) { point, experts in
      if let hostTimes {
        device.clock.hostWorked(microseconds: hostTimes(point))
        return hostTimes(point)
      }
      let alone = try bench.onCPU(experts, load: point.tokens, device.clock)
      // Copies for longer than that, so that the link is busy until the last expert is done.
      try bench.beginCopies(microseconds: 2 * alone)
      let time = try bench.onCPU(experts, load: point.tokens, device.clock)
      try bench.endCopies()
      return time
    }
  }

  private func gpuPoints(_ bench: LaneBench) throws -> [CostPoint] {
    try points(bench) { point, experts in try bench.onGPU(experts, load: point.tokens) }
  }

  /// A point for each number of experts and load, with other experts each time so that no cache helps.
  private func points(
    _ bench: LaneBench, _ time: (CostPoint, [Int]) throws -> Double
  ) throws -> [CostPoint] {
    var points: [CostPoint] = []
    var next = 0
    for count in plan.expertCounts where count <= bench.expertCount {
      for load in plan.loads {
        var point = CostPoint(
          experts: count, bytes: Double(bench.footprint.hostBytes),
          parameters: Double(bench.footprint.parameters), tokens: load, microseconds: .infinity)
        for _ in 0..<max(1, plan.repetitions) {
          let experts = (0..<count).map { (next + $0) % bench.expertCount }
          next = (next + count) % bench.expertCount
          point.microseconds = min(point.microseconds, try time(point, experts))
        }
        points.append(point)
      }
    }
    return points
  }

  private func linkPoints(_ bench: LaneBench) throws -> [CostPoint] {
    var points: [CostPoint] = []
    for pieceBytes in [1 << 20, 1 << 18, 1 << 16] {
      let meter = try LinkMeter(
        device, try DeviceOperations(device), byteCount: largestLink, pieceByteCount: pieceBytes)
      for isReading in [false, true] {
        let work: (() -> Void)? = isReading ? { [self] in readWeights(bench) } : nil
        let speed = try meter.copy(
          from: .pinned, milliseconds: plan.linkMilliseconds, hostWork: work)
        let pieces = max(1, speed.byteCount / pieceBytes)
        points.append(
          CostPoint(
            experts: pieces, bytes: Double(pieceBytes), parameters: 1,
            microseconds: speed.microseconds, cpuIsReading: isReading))
      }
    }
    return points
  }

  private func readWeights(_ bench: LaneBench) {
    if hostTimes != nil { return device.clock.hostWorked(microseconds: 20) }
    // What fails here failed before, where it was measured.
    _ = try? bench.onCPU(Array(0..<min(4, bench.expertCount)), load: 1, device.clock)
  }
}

/// Costs as they were measured, with how well the cost model describes them.
public struct MeasuredCosts: Sendable, Equatable {
  public var model = CostModel(
    cpu: [:],
    gpu: .init(
      launchMicroseconds: 0, expertMicroseconds: 0, bytesPerMicrosecond: 1, kneeTokens: 0,
      parameterTokensPerMicrosecond: 1),
    link: .init(
      latencyMicroseconds: 0, bytesPerMicrosecond: 1, overlappedBytesPerMicrosecond: 1),
    handshakeMicroseconds: 0)
  /// Largest relative errors of the fits, by part; 0.1 is a tenth.
  public var errors: [(part: String, maximumRelativeError: Double)] = []

  public init() {}

  mutating func note<Part>(_ part: String, _ fit: CostFit<Part>) {
    errors.append((part, fit.maximumRelativeError))
  }

  public static func == (left: MeasuredCosts, right: MeasuredCosts) -> Bool {
    left.model == right.model
      && left.errors.map(\.part) == right.errors.map(\.part)
      && left.errors.map(\.maximumRelativeError) == right.errors.map(\.maximumRelativeError)
  }
}
