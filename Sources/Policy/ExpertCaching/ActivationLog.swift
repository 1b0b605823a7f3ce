import Experts

/// Who was activated in each event of a trace, without scores: what offline rules replay.
///
/// Holds eight bytes an activation, so that a trace whose scores take gigabytes can be read once.
public struct ActivationLog: Sendable {
  private var steps: [Int] = []
  private var layers: [UInt32] = []
  private var phases: [Phase] = []
  private var tokens: [Int] = []
  private var firstPlaces: [Int] = [0]
  private var experts: [UInt32] = []
  private var loads: [UInt32] = []

  public init() {}

  /// The number of events.
  public var count: Int { steps.count }

  public mutating func append(_ event: LayerActivation) {
    steps.append(event.step)
    layers.append(UInt32(event.layer))
    phases.append(event.phase)
    tokens.append(event.tokens)
    for index in event.activated {
      experts.append(UInt32(index))
      loads.append(UInt32(event.loads[index]))
    }
    firstPlaces.append(experts.count)
  }

  /// Calls `body` with each event in order; the events have no scores.
  public func replay(into event: inout LayerActivation, _ body: (borrowing LayerActivation) -> Void)
  {
    for ordinal in 0..<count {
      let places = firstPlaces[ordinal]..<firstPlaces[ordinal + 1]
      event.restore(
        ordinal: ordinal, step: steps[ordinal], phase: phases[ordinal],
        layer: Int(layers[ordinal]), tokens: tokens[ordinal], experts: experts[places],
        loads: loads[places])
      body(event)
    }
  }
}
