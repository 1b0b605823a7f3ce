/// For each activation of a whole trace, the next event that activates the same expert.
///
/// Filled event by event in the trace's order, then closed; holds four bytes an activation.
public struct NextUses: Sendable {
  private var firstPlaces: [Int] = [0]
  private var table: [UInt32] = []
  private var latest: [Int]
  private let experts: Int

  public init(layers: Int, experts: Int) {
    self.experts = experts
    latest = Array(repeating: -1, count: layers * experts)
  }

  /// Events read so far; stands for "never again", later than any event.
  public var never: Int { firstPlaces.count - 1 }

  /// Reads the next event of the trace.
  public mutating func append(_ event: LayerActivation) {
    let ordinal = never
    for index in event.activated {
      let expert = event.layer * experts + index
      if latest[expert] >= 0 { table[latest[expert]] = UInt32(ordinal) }
      latest[expert] = table.count
      table.append(.max)
    }
    firstPlaces.append(table.count)
  }

  /// The next event that activates the expert at a place of an event's `activated`; `never` if none.
  public func next(ofEvent ordinal: Int, place: Int) -> Int {
    let next = table[firstPlaces[ordinal] + place]
    return next == .max ? never : Int(next)
  }
}
