// Inside a layer, three lanes work in parallel: the CPU computes experts from host memory, the GPU
// computes those it holds, and the link copies others to it. A scheduler says who does what, in
// which order, before the layer starts; its answer is a value that the engine performs and the
// simulator plays.

import Experts

/// Something that plans a layer.
///
/// Schedulers keep their scratch between calls and reuse the plan's memory: once they have seen a
/// layer of the largest size they allocate nothing.
public protocol LayerScheduler: Sendable {
  /// Plans one layer; what `plan` held before is replaced.
  mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan)
}

extension LayerScheduler {
  /// The plan as a new value: convenient where allocating does not matter.
  public mutating func plan(for layerCase: LayerCase) -> LayerPlan {
    var plan = LayerPlan()
    schedule(layerCase, into: &plan)
    return plan
  }
}

/// Every scheduler by the name that people give on the command line.
public enum SchedulerName: String, CaseIterable, Sendable {
  /// Ours: exact where it can be, never slower than any of the others in a layer.
  case hybrimoe
  /// The rule of arXiv 2504.05897, as published.
  case hybrimoePaper = "hybrimoe-paper"
  case ktransformers, llamacpp, adapmoe, dali, freetoken
  /// Everything on the CPU, residents too.
  case allCPU = "all-cpu"
  /// Everything on the GPU; all misses are copied.
  case allGPU = "all-gpu"

  /// A new scheduler of that name, with empty scratch.
  public func makeScheduler() -> any LayerScheduler {
    switch self {
    case .hybrimoe: HybridScheduler()
    case .hybrimoePaper: PaperScheduler()
    case .ktransformers: BaselineScheduler(.ktransformers)
    case .llamacpp: BaselineScheduler(.llamacpp)
    case .adapmoe: BaselineScheduler(.adapmoe)
    case .dali: BaselineScheduler(.dali)
    case .freetoken: BaselineScheduler(.freetoken)
    case .allCPU: BaselineScheduler(.allCPU)
    case .allGPU: BaselineScheduler(.allGPU)
    }
  }
}
