import ExpertScheduling
import Experts

/// Tells how long a layer takes: the simulation of the first idea, which a scheduler brings.
public protocol MakespanSource: Sendable {
  /// The makespan of the plan that would be made for this case, in the unit of its costs.
  mutating func makespan(of layer: LayerCase) -> Double
}

extension HybridScheduler: MakespanSource {}

/// The makespans of any scheduler's plans.
public struct PlannedMakespan<Scheduler: LayerScheduler>: MakespanSource {
  private var scheduler: Scheduler
  private var plan = LayerPlan()

  public init(_ scheduler: Scheduler) { self.scheduler = scheduler }

  public mutating func makespan(of layer: LayerCase) -> Double {
    scheduler.schedule(layer, into: &plan)
    return plan.makespan
  }
}
