import Experts

/// Something wrong with a plan, in words: which expert or lane, what was expected, what was found.
public struct PlanViolation: Equatable, Sendable, CustomStringConvertible {
  public var description: String

  init(_ description: String) { self.description = description }
}

/// Checks plans, of any scheduler, against the case they are for: whether three real lanes could
/// perform the plan as it says, and whether it costs what the case says.
public enum PlanValidator {
  /// Everything that is wrong with a plan; empty where it is sound.
  ///
  /// Times are compared with a tolerance of 1e-9 of the largest time, for the rounding of sums.
  ///
  /// - Complexity: O(operations × experts); for tests and debugging, not for the decode loop.
  public static func violations(of plan: LayerPlan, in layerCase: LayerCase) -> [PlanViolation] {
    var check = PlanCheck(plan, layerCase)
    check.checkExperts()
    check.checkShared()
    for lane in Lane.allCases { check.checkLane(lane) }
    check.checkDurations()
    check.checkEnd()
    return check.violations
  }
}

/// One validation on its way.
private struct PlanCheck {
  let plan: LayerPlan
  let layerCase: LayerCase
  let tolerance: Double
  var violations: [PlanViolation] = []

  init(_ plan: LayerPlan, _ layerCase: LayerCase) {
    self.plan = plan
    self.layerCase = layerCase
    let largest = plan.operations.reduce(abs(plan.makespan)) { max($0, abs($1.end)) }
    tolerance = 1e-9 * max(1, largest)
  }

  private mutating func report(_ text: String) { violations.append(PlanViolation(text)) }

  private func operations(_ lane: Lane, _ index: Int? = nil) -> [Operation] {
    plan.operations.filter { $0.lane == lane && (index == nil || $0.subject == .expert(index!)) }
  }

  private func differ(_ left: Double, _ right: Double) -> Bool {
    !(abs(left - right) <= tolerance)
  }

  mutating func checkExperts() {
    for expert in layerCase.experts {
      let index = expert.index
      let onGPU = operations(.gpu, index)
      let copies = operations(.link, index)
      let computations = operations(.cpu, index).count + onGPU.count
      if computations != 1 {
        report("expert \(index) is computed \(computations) times instead of once")
      }
      switch expert.residency {
      case .resident:
        if !copies.isEmpty { report("expert \(index) is resident, but the plan copies it") }
      case .arriving(let time):
        if !copies.isEmpty { report("expert \(index) is on its way, but the plan copies it") }
        for computation in onGPU where computation.start < time - tolerance {
          report(
            "expert \(index) starts on the GPU at \(computation.start), but arrives at \(time)")
        }
      case .missing:
        if copies.count != onGPU.count {
          report(
            "expert \(index), a miss, is copied \(copies.count) times and computed on the GPU "
              + "\(onGPU.count) times")
        }
        for (copy, computation) in zip(copies, onGPU)
        where computation.start < copy.end - tolerance {
          report(
            "expert \(index) starts on the GPU at \(computation.start), but its copy ends at "
              + "\(copy.end)")
        }
      }
    }
    let known = Set(layerCase.experts.map(\.index))
    for operation in plan.operations {
      guard case .expert(let index) = operation.subject, !known.contains(index) else { continue }
      report("expert \(index) is on the \(operation.lane) lane, but was not activated")
    }
  }

  mutating func checkShared() {
    let shared = plan.operations.filter { $0.subject == .shared }
    let expected = layerCase.costs.sharedOnGPU > 0 ? 1 : 0
    if shared.count != expected {
      report("the shared expert is computed \(shared.count) times instead of \(expected)")
    }
    for operation in shared where operation.lane != .gpu {
      report("the shared expert is on the \(operation.lane) lane instead of the gpu lane")
    }
    if expected == 1, let first = operations(.gpu).first, first.subject != .shared {
      report("the shared expert is not the first on the gpu lane")
    }
  }

  mutating func checkLane(_ lane: Lane) {
    var free =
      switch lane {
      case .cpu: layerCase.cpuFree
      case .gpu: layerCase.gpuFree
      case .link: layerCase.linkStart
      }
    for operation in operations(lane) {
      if !(operation.start >= free - tolerance) {
        report(
          "\(name(operation)) starts on the \(lane) lane at \(operation.start), but the lane is "
            + "free only at \(free)")
      }
      free = max(free, operation.end)
    }
  }

  mutating func checkDurations() {
    let costs = layerCase.costs
    let usesCPU = !operations(.cpu).isEmpty
    var residentsAreLaunched = false
    var cpuHasStarted = false
    for operation in plan.operations {
      guard case .expert(let index) = operation.subject else {
        expect(costs.sharedOnGPU, for: operation)
        continue
      }
      guard let expert = layerCase.experts.first(where: { $0.index == index }) else { continue }
      switch operation.lane {
      case .link:
        expect(usesCPU ? costs.linkPerExpert : costs.linkPerExpertAlone, for: operation)
      case .cpu:
        expect(costs.cpu(load: expert.load) + (cpuHasStarted ? 0 : costs.cpuFirst), for: operation)
        cpuHasStarted = true
      case .gpu:
        let isResident = expert.residency == .resident
        let launches = !(isResident && residentsAreLaunched)
        if isResident { residentsAreLaunched = true }
        expect(
          costs.gpu(load: expert.load) + (launches ? costs.gpuPerLaunch : 0), for: operation)
      }
    }
  }

  private mutating func expect(_ duration: Double, for operation: Operation) {
    guard differ(operation.end - operation.start, duration) else { return }
    report(
      "\(name(operation)) takes \(operation.end - operation.start) on the \(operation.lane) lane "
        + "instead of \(duration)")
  }

  mutating func checkEnd() {
    let last = plan.operations.filter { $0.lane != .link }.map(\.end).max() ?? 0
    let expected = layerCase.costs.handshake + last
    if differ(plan.makespan, expected) {
      report("the makespan is \(plan.makespan) instead of \(expected)")
    }
    if !(plan.lowerBound <= plan.makespan + tolerance) {
      report("the lower bound \(plan.lowerBound) is above the makespan \(plan.makespan)")
    }
  }

  private func name(_ operation: Operation) -> String {
    switch operation.subject {
    case .expert(let index): "expert \(index)"
    case .shared: "the shared expert"
    }
  }
}
