import Experts

/// The order of a trace's events: steps do not go back; in a step the layers ascend, as every
/// engine runs them, and all belong to one phase.
///
/// Steps may be left out and so may layers: a trace may be a part of another.
struct StepOrder {
  private var last: (step: Int, layer: Int, phase: Phase)?

  /// Whether an event begins a step that is not the last one's.
  func begins(_ step: Int) -> Bool { last.map { $0.step != step } ?? true }

  /// The layer of the last event.
  var lastLayer: Int? { last?.layer }

  /// Takes the next event; throws where it cannot follow the last one.
  mutating func check(_ event: RoutingEvent, line: Int) throws(TraceError) {
    if let last {
      if event.step < last.step {
        throw .order(line: line, problem: "step \(event.step) comes after step \(last.step)")
      }
      if event.step == last.step {
        guard event.layer > last.layer else {
          throw .order(
            line: line,
            problem: "layer \(event.layer) comes after layer \(last.layer) in step \(event.step)")
        }
        guard event.phase == last.phase else {
          throw .order(
            line: line,
            problem: "step \(event.step) is \(event.phase.rawValue) here and "
              + "\(last.phase.rawValue) before")
        }
      }
    }
    last = (event.step, event.layer, event.phase)
  }
}
