import ExpertDirection
import ExpertScheduling
import Experts

/// A directive as the lanes need it.
struct LayerWork {
  let directive: LayerDirective
  /// Computed by the GPU from where they are.
  private(set) var residents: [ExpertID] = []
  /// Computed by the GPU when they have arrived, in the order of the link.
  let arrivals: [ExpertID]
  /// Computed by the CPU, in the plan's order.
  private(set) var cpu: [Int] = []
  /// What the CPU is predicted to take.
  private(set) var cpuMicroseconds = 0.0
  private let copies: [DirectedCopy]

  var layer: Int { directive.layer }

  init(_ directive: LayerDirective) {
    self.directive = directive
    let copies = directive.late + directive.copies
    self.copies = copies
    arrivals = copies.map { ExpertID(layer: directive.layer, index: $0.index) }
    for operation in directive.plan.operations {
      guard case .expert(let index) = operation.subject else { continue }
      switch operation.lane {
      case .cpu:
        cpu.append(index)
        cpuMicroseconds += operation.end - operation.start
      case .gpu:
        guard !copies.contains(where: { $0.index == index }) else { continue }
        residents.append(ExpertID(layer: layer, index: index))
      case .link: break
      }
    }
  }

  /// Which arrivals go in one launch each, by what the plan says of their coming.
  ///
  /// - Parameter there: those of the arrivals that the first launch of all computes, because they are
  ///   there already, whatever the plan said.
  /// - Returns: all others, in their order.
  func arrivalGroups(there: [ExpertID]) -> [[ExpertID]] {
    let coming = arrivals.filter { !there.contains($0) }
    guard !coming.isEmpty else { return [] }
    let costs = directive.layerCase.costs
    var free = 0.0
    var arrival: [Int: Double] = [:]
    for operation in directive.plan.operations {
      switch (operation.subject, operation.lane) {
      case (.expert(let index), .link): arrival[index] = operation.end
      case (.expert(let index), .gpu) where copies.contains { $0.index == index }: break
      case (_, .gpu): free = max(free, operation.end)
      case (_, .cpu), (.shared, .link): break
      }
    }
    var work: [Int: Double] = [:]
    for expert in directive.layerCase.experts {
      work[expert.index] = costs.gpu(load: expert.load)
      if case .arriving(let time) = expert.residency { arrival[expert.index] = time }
    }
    free += there.reduce(0) { $0 + (work[$1.index] ?? 0) }
    return ArrivalGroups.groups(
      of: coming.map { .init(at: arrival[$0.index] ?? 0, gpu: work[$0.index] ?? 0) },
      gpuFree: free, launch: costs.gpuPerLaunch
    ).map { Array(coming[$0]) }
  }

  func usesOnGPU(_ expert: ExpertID) -> Bool {
    residents.contains(expert) || arrivals.contains(expert)
  }

  /// Whether the cache has a slot for a copy of the plan, or may have one when the layer ends.
  func mayStay(_ expert: ExpertID) -> Bool {
    copies.contains { $0.index == expert.index && $0.stays }
  }
}
