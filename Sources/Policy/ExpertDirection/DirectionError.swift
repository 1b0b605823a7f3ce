/// Why a run cannot be directed.
public enum DirectionError: Error, Equatable, CustomStringConvertible {
  /// An event that the model cannot have made.
  case event(step: Int, layer: Int, String)
  /// A description asks for something impossible.
  case description(String)
  /// A plan breaks the rules of plans: a defect of the scheduler, not of the input.
  case invalidPlan(scheduler: String, step: Int, layer: Int, String)

  public var description: String {
    switch self {
    case .event(let step, let layer, let text):
      "The routing of step \(step), layer \(layer) cannot be served: \(text)."
    case .description(let text): text
    case .invalidPlan(let scheduler, let step, let layer, let text):
      "The plan of '\(scheduler)' for step \(step), layer \(layer) is invalid: \(text)."
    }
  }
}
