import Experts
import OrderedJSON

extension ScheduleRequest {
  /// The plan of the scheduler that the request names; its lower bound is our scheduler's,
  /// whichever made the plan.
  public func plan() -> LayerPlan {
    var scheduler = self.scheduler.makeScheduler()
    var plan = scheduler.plan(for: layerCase)
    if self.scheduler != .hybrimoe {
      var ours = HybridScheduler()
      plan.lowerBound = min(ours.plan(for: layerCase).lowerBound, plan.makespan)
    }
    return plan
  }

  /// A plan as the answer to this request: operations with experts' names and lanes by their start
  /// (where equal: copies that take no time, so that they come before their use, then cpu, gpu,
  /// link), then the makespan and its lower bound.
  public func answer(_ plan: LayerPlan) -> JSONValue {
    func rank(_ operation: Operation) -> Int {
      if operation.lane == .link, operation.end == operation.start { return -1 }
      return Lane.allCases.firstIndex(of: operation.lane) ?? 0
    }
    let sorted = plan.operations.enumerated().sorted { left, right in
      (left.element.start, rank(left.element), left.offset)
        < (right.element.start, rank(right.element), right.offset)
    }
    let operations = sorted.map(\.element).map { operation in
      JSONValue.object([
        ("expert", .string(name(of: operation.subject))),
        ("lane", .string(operation.lane.rawValue)), ("start", Self.number(operation.start)),
        ("end", Self.number(operation.end)),
      ])
    }
    return .object([
      ("operations", .array(operations)), ("makespan", Self.number(plan.makespan)),
      ("lowerBound", Self.number(plan.lowerBound)),
    ])
  }

  private func name(of subject: Operation.Subject) -> String {
    switch subject {
    case .expert(let index): names[index]
    case .shared: Self.sharedName
    }
  }

  // Whole times without ".0", as people write them.
  private static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map(JSONValue.integer) ?? .double(value)
  }
}
