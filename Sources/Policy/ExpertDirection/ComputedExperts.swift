import ExpertScheduling
import Experts

/// Who computed the activated experts, and whence they came: every one of them is in exactly one of
/// five parts.
///
/// Hits and the CPU's experts overlap, since an idle CPU takes residents too; these parts do not, so
/// that they and their percentages can be added up.
public struct ComputedExperts: Equatable, Sendable {
  /// Resident, and computed by the GPU.
  public var residentOnGPU = 0
  /// Resident because a copy ahead brought them, and computed by the GPU.
  public var prefetchedOnGPU = 0
  /// Resident, however they came there, but computed by the CPU.
  public var residentOnCPU = 0
  /// Not resident, and computed by the CPU where they lie.
  public var missingOnCPU = 0
  /// Not resident, and computed by the GPU after a copy that the plan waited for.
  public var copiedOnDemand = 0
  /// Of `copiedOnDemand`, those whose copy ahead was still on its way when their layer started.
  public var late = 0

  public init() {}

  /// All parts together: the activated experts.
  public var total: Int {
    residentOnGPU + prefetchedOnGPU + residentOnCPU + missingOnCPU + copiedOnDemand
  }

  /// What was counted since an earlier moment.
  public static func - (left: ComputedExperts, right: ComputedExperts) -> ComputedExperts {
    var result = left
    result.residentOnGPU -= right.residentOnGPU
    result.prefetchedOnGPU -= right.prefetchedOnGPU
    result.residentOnCPU -= right.residentOnCPU
    result.missingOnCPU -= right.missingOnCPU
    result.copiedOnDemand -= right.copiedOnDemand
    result.late -= right.late
    return result
  }

  /// Counts a layer's experts by what its plan does with them.
  ///
  /// - Parameter isPrefetched: whether a resident is there because of a copy ahead.
  mutating func count(
    _ layerCase: LayerCase, _ plan: LayerPlan, isPrefetched: (Int) -> Bool
  ) {
    var onCPU = ExpertSet()
    var onGPU = ExpertSet()
    for operation in plan.operations {
      guard case .expert(let index) = operation.subject else { continue }
      switch operation.lane {
      case .cpu: onCPU.insert(index)
      case .gpu: onGPU.insert(index)
      case .link: break
      }
    }
    for expert in layerCase.experts {
      let isResident = expert.residency == .resident
      if onCPU.contains(expert.index) {
        if isResident { residentOnCPU += 1 } else { missingOnCPU += 1 }
      } else if onGPU.contains(expert.index) {
        if isResident {
          if isPrefetched(expert.index) { prefetchedOnGPU += 1 } else { residentOnGPU += 1 }
        } else {
          copiedOnDemand += 1
          if case .arriving = expert.residency { late += 1 }
        }
      }
    }
  }
}
