import ExpertDirection
import Experts

/// A directive as the lanes need it.
struct LayerWork {
  let directive: LayerDirective
  var layer: Int { directive.layer }
  /// Computed by the GPU from where they are.
  private(set) var residents: [ExpertID] = []
  /// Computed by the GPU when they have arrived, in the order of the link.
  private(set) var arrivals: [(expert: ExpertID, stays: Bool)] = []
  /// Computed by the CPU, in the plan's order.
  private(set) var cpu: [Int] = []
  func usesOnGPU(_ expert: ExpertID) -> Bool {
    residents.contains(expert) || arrivals.contains { $0.expert == expert }
  }

  /// What the CPU is predicted to take.
  private(set) var cpuMicroseconds = 0.0

  init(_ directive: LayerDirective) {
    self.directive = directive
    let copied = directive.late + directive.copies
    for operation in directive.plan.operations {
      guard case .expert(let index) = operation.subject else { continue }
      switch operation.lane {
      case .cpu:
        cpu.append(index)
        cpuMicroseconds += operation.end - operation.start
      case .gpu:
        guard !copied.contains(where: { $0.index == index }) else { continue }
        residents.append(ExpertID(layer: layer, index: index))
      case .link: break
      }
    }
    for copy in copied {
      arrivals.append((ExpertID(layer: layer, index: copy.index), copy.stays))
    }
  }
}
