import Experts

/// Something wrong with a plan.
public struct PlanViolation: Equatable, Sendable, CustomStringConvertible {
  public var description: String
}

/// Checks plans, of any scheduler, against the case they are for.
public enum PlanValidator {
  /// Everything that is wrong with a plan; empty where it can be performed as it says.
  public static func violations(of plan: LayerPlan, in layerCase: LayerCase) -> [PlanViolation] {
    []
  }
}
