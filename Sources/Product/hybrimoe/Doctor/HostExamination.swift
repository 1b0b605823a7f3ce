import CPUCompute
import HostMemory

/// Looks at the processor, its memory and the folders.
struct HostExamination {
  /// Keeps the memory busy while a link is measured; nil where it could not be made.
  private(set) var meter: CeilingMeter?

  /// How often the ceilings are measured: the best counts, since other programs only take away.
  private static let rounds = 3
  /// Some milliseconds of calculating in each.
  private static let iterationCount = 100_000

  /// - Parameter threads: as asked for.
  init(_ findings: inout Findings, threads: Int?, environment: [String: String]) {
    findings.survey = .current()
    findings.processor = Processor.name
    findings.features = Processor.features
    findings.instructionSet = InstructionSet.best.rawValue
    findings.instructionSets = InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue)
    findings.visibleDevices = environment["CUDA_VISIBLE_DEVICES"]
    findings.folders = Self.folders(environment)
    do {
      let placement = ThreadPlacement(.current(), threadCount: threads, affinity: .automatic)
      let compute = try CPUBackend(
        threadCount: placement.threadCount, processors: placement.processors)
      let meter = CeilingMeter(
        compute, memory: try CeilingMemory(), iterationCount: Self.iterationCount)
      for _ in 0..<Self.rounds { meter.measure() }
      let ceilings = meter.ceilings
      findings.host = HostSpeeds(
        threadCount: placement.threadCount, readGBps: ceilings.readGBps,
        int8GOPS: ceilings.int8GOPS, floatGOPS: ceilings.floatGOPS)
      self.meter = meter
    } catch {
      findings.hostFailure = "\(error)"
    }
  }

  private static func folders(_ environment: [String: String]) -> [FolderFinding] {
    let path = CacheFolder.packedWeights(environment: environment)
    return [
      FolderFinding(
        purpose: "packed weights", path: path, isWritable: path.map(Folders.canWrite) ?? false)
    ]
  }
}
