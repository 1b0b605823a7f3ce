import ExpertDirection
import ExpertSimulation
import Experts
import Placement
import RoutingTraces
import TestSupport

/// A small model on a machine whose lanes are about equally strong, so that every decision matters.
struct SimulationWorld {
  var machine: SimulatedMachine
  var sequence: SimulatedSequence

  static let shape = """
    {"kind": "shape", "name": "small", "title": "Small", "reference": "a test",
     "architecture": "qwen2moe", "quantization": "Q4_K_M",
     "layers": {"value": 5, "unit": "layers", "source": "test"},
     "denseLayers": {"value": 1, "unit": "layers", "source": "test"},
     "dense": {"width": {"value": 2048, "unit": "elements", "source": "test"}},
     "hidden": {"value": 1024, "unit": "elements", "source": "test"},
     "vocabulary": {"value": 1000, "unit": "tokens", "source": "test"},
     "experts": {"count": {"value": 8, "unit": "experts", "source": "test"},
       "activated": {"value": 2, "unit": "experts", "source": "test"},
       "width": {"value": 2048, "unit": "elements", "source": "test"}},
     "shared": {"width": {"value": 512, "unit": "elements", "source": "test"}},
     "attention": {"kind": "grouped",
       "heads": {"value": 8, "unit": "heads", "source": "test"},
       "keyValueHeads": {"value": 2, "unit": "heads", "source": "test"},
       "headWidth": {"value": 128, "unit": "elements", "source": "test"}}}
    """

  static let behavior = RoutingBehavior(
    persistence: 0.5, parts: .init(model: 1, sequence: 1, topic: 1, drift: 2), topicTokens: 20,
    driftTokens: 4, layerCorrelation: 0.2, sharpness: 1.5, accuracies: [0.8, 0.7, 0.6],
    biasShare: 0.3, renormalizes: true)

  static func profile(_ name: String = "rtx-3090", host: String = "ddr4") throws -> MachineProfile {
    MachineProfile(
      gpu: try GPUProfile.machine(text: profileText("machines/\(name)")).gpu,
      host: try HostProfile(text: profileText("hosts/\(host)")))
  }

  init(
    profile: MachineProfile? = nil, prompt: Int = 12, decode: Int = 24, seed: UInt64 = 1
  ) throws {
    machine = try SimulatedMachine(
      profile: profile ?? Self.profile(), shape: ModelShape(text: Self.shape))
    let header = TraceHeader(
      model: "small", layers: machine.layerCount, experts: machine.expertCount,
      activated: machine.activatedCount,
      expertBytes: machine.footprints.map(\.linkBytes))
    sequence = try SimulatedSequence(
      header, behavior: Self.behavior, promptTokens: prompt, decodeTokens: decode, seed: seed)
  }

  /// Worlds of two seeds, made once: making up their routing takes longer than playing it.
  static let shared = Result {
    try [1, 2].map { try SimulationWorld(decode: 16, seed: $0) }
  }

  func simulator(_ system: SystemDescription, recordsTimeline: Bool = false) throws -> Simulator {
    var simulator = try Simulator(
      machine: machine, system: system, popularity: sequence.popularity,
      recordsTimeline: recordsTimeline)
    simulator.checksPlans = true
    return simulator
  }

  func report(_ system: SystemDescription) throws -> DirectionReport {
    var simulator = try simulator(system)
    for event in sequence.events { try simulator.play(event) }
    return simulator.finish()
  }

  func bound(_ phase: Phase) -> HindsightBound {
    HindsightBound(
      sequence.events.filter { $0.phase == phase }
        .map { LayerDemand($0, activated: machine.activatedCount) },
      on: machine,
      context: phase == .prefill ? 0 : sequence.events[0].ids.count / machine.activatedCount)
  }
}
