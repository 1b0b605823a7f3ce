import Devices
import Experts
import Models

/// Reads a layer's routing from the exchange, and tells the device where its experts' rows will be.
struct RoutingReader {
  private let exchange: LayerExchange
  private let numbers: [Int]
  private var ids: [Int32] = []
  private var weights: [Float] = []

  init(_ exchange: LayerExchange, numbers: [Int]) {
    self.exchange = exchange
    self.numbers = numbers
  }

  /// What the router decided, as the policies read it: numbers that are none count as 0 there, and keep
  /// their bits on the device.
  /// - Throws: `HybridError.invalidRouting` where an id names no expert.
  mutating func read(
    step: Int, phase: Phase, layer: Int, tokenCount: Int
  ) throws(HybridError) -> RoutingEvent {
    let pairs = tokenCount * exchange.ranks
    ids = Array(
      UnsafeBufferPointer(
        start: exchange.ids.base.assumingMemoryBound(to: Int32.self), count: pairs))
    weights = Array(
      UnsafeBufferPointer(
        start: exchange.weights.base.assumingMemoryBound(to: Float.self), count: pairs))
    for id in ids where id < 0 || Int(id) >= exchange.expertCount {
      throw .invalidRouting(
        layer: numbers[layer], reason: "expert \(id) of \(exchange.expertCount)")
    }
    var event = RoutingEvent(
      step: step, phase: phase, layer: layer, ids: ids.map(Int.init),
      weights: weights.map { $0.isFinite ? Double($0) : 0 },
      scores: scores(exchange.probabilities, tokenCount))
    guard exchange.asksLaterRouters else { return event }
    for distance in 0..<exchange.foreseenLayerCount where layer + 1 + distance < numbers.count {
      event.predicted.append(
        PredictedScores(
          layer: layer + 1 + distance, scores: scores(exchange.foreseen[distance], tokenCount)))
    }
    return event
  }

  /// The routing just read with other experts, and with what else the other routing has.
  mutating func replace(_ own: RoutingEvent, by other: RoutingEvent) -> RoutingEvent {
    precondition(other.ids.count == own.ids.count, "routing is replaced for the tokens of the step")
    var event = own
    event.ids = other.ids
    ids = other.ids.map(Int32.init)
    if !other.weights.isEmpty { event.weights = other.weights }
    if !other.scores.isEmpty { event.scores = other.scores }
    let known = numbers.count
    let predicted = other.predicted.filter { $0.layer < known }
    if !predicted.isEmpty { event.predicted = predicted }
    return event
  }

  private func scores(_ span: PinnedSpan, _ tokenCount: Int) -> [Double] {
    UnsafeBufferPointer(
      start: span.base.assumingMemoryBound(to: Float.self),
      count: tokenCount * exchange.expertCount
    ).map { $0.isFinite ? Double($0) : 0 }
  }

  /// The routing just read, as observers of a step see it.
  func layerRouting(_ event: RoutingEvent, readsScores: Bool) -> LayerRouting {
    LayerRouting(
      layer: numbers[event.layer], ranks: exchange.ranks, ids: ids, weights: weights,
      scores: readsScores ? event.scores.map(Float.init) : [],
      predicted: readsScores
        ? event.predicted.map { (numbers[$0.layer], $0.scores.map(Float.init)) } : [])
  }

  /// Says for each pair on which lane its row is computed.
  func writeOrigins(_ groups: RowGroups, onCPU experts: [Int]) {
    let origins = exchange.origins.base.assumingMemoryBound(to: UInt32.self)
    let hostBit: UInt32 = 1 << 31
    for (pair, id) in ids.enumerated() {
      let row = UInt32(groups.position[pair])
      origins[pair] = experts.contains(Int(id)) ? row | hostBit : row
    }
  }
}
