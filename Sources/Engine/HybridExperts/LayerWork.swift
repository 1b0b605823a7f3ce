import ExpertDirection
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

  func usesOnGPU(_ expert: ExpertID) -> Bool {
    residents.contains(expert) || arrivals.contains(expert)
  }

  /// Whether the cache has a slot for a copy of the plan, or may have one when the layer ends.
  func mayStay(_ expert: ExpertID) -> Bool {
    copies.contains { $0.index == expert.index && $0.stays }
  }
}
