import ExpertDirection

/// Why a simulation cannot be played.
public enum SimulationError: Error, Equatable, CustomStringConvertible {
  /// The machine has no CPU figures for experts of this type, nor a default.
  case unmeasuredElementType(String, machine: String)
  /// A trace does not belong to the model.
  case traceOfOtherModel(what: String, trace: Int, model: Int)
  /// An event that the simulator cannot play.
  case event(step: Int, layer: Int, String)
  /// A description asks for something impossible.
  case description(String)
  /// A plan breaks the rules of plans: a defect of the scheduler, not of the input.
  case invalidPlan(scheduler: String, step: Int, layer: Int, String)

  public var description: String {
    switch self {
    case .unmeasuredElementType(let type, let machine):
      "The machine '\(machine)' has no CPU speed for \(type) experts and no default ('*'); add one "
        + "to its profile."
    case .traceOfOtherModel(let what, let trace, let model):
      "The trace has \(trace) \(what), but the model has \(model); choose the --shape that the trace "
        + "was recorded from."
    case .event(let step, let layer, let text):
      "The trace's event of step \(step), layer \(layer) cannot be played: \(text)."
    case .description(let text): text
    case .invalidPlan(let scheduler, let step, let layer, let text):
      "The plan of '\(scheduler)' for step \(step), layer \(layer) is invalid: \(text)."
    }
  }
}

extension SimulationError {
  /// What the director refuses, as the simulator says it.
  init(_ error: DirectionError) {
    self =
      switch error {
      case .event(let step, let layer, let text): .event(step: step, layer: layer, text)
      case .description(let text): .description(text)
      case .invalidPlan(let scheduler, let step, let layer, let text):
        .invalidPlan(scheduler: scheduler, step: step, layer: layer, text)
      }
  }
}
