import Experts
import HybridExperts
import RoutingTraces

/// Routing of a trace, or made up, that takes the place of a model's routers while its speed is
/// measured.
///
/// All prompts of the trace stand one behind the other, and so do all tokens that were written one
/// by one; a run takes as many of either as it needs, from the beginning again where there are too
/// few.
final class ForcedRouting: RoutingSource {
  let header: TraceHeader
  /// How often each expert was used before, [layers, experts]: it decides what caches hold at
  /// first.
  let popularity: [Double]
  /// In words: where it is from.
  let title: String
  /// By phase and MoE layer.
  private var tables: [Phase: [RowTable]] = [:]
  private var positions: [Phase: Int] = [:]
  private var phase = Phase.prefill
  private var start = 0
  private var tokenCount = 0

  /// Tokens of a phase.
  func rowCount(_ phase: Phase) -> Int { tables[phase]?.first?.rowCount ?? 0 }

  /// - Parameters:
  ///   - popularity: nil: as often as in these events, which is what a calibration with the same
  ///     text finds.
  ///   - next: gives one event after the other, nil at the end.
  /// - Throws: what `next` throws.
  init(
    _ header: TraceHeader, title: String, popularity: [Double]? = nil,
    next: () throws -> RoutingEvent?
  ) rethrows {
    self.header = header
    self.title = title
    var counts = Array(repeating: 0.0, count: header.layers * header.experts)
    for phase in Phase.allCases {
      tables[phase] = (0..<header.layers).map { _ in RowTable() }
      positions[phase] = 0
    }
    while let event = try next() {
      guard (0..<header.layers).contains(event.layer) else { continue }
      for index in event.ids { counts[event.layer * header.experts + index] += 1 }
      tables[event.phase]?[event.layer].append(event, header)
    }
    self.popularity = popularity ?? counts
    // A step that was cut in the middle of its layers has no rows in the later ones.
    for phase in Phase.allCases {
      let whole = tables[phase]?.map(\.rowCount).min() ?? 0
      for layer in 0..<header.layers { tables[phase]?[layer].rowCount = whole }
    }
  }

  /// Starts over with the first tokens.
  func rewind() {
    for phase in Phase.allCases { positions[phase] = 0 }
  }

  func beginStep(tokenCount: Int, phase: Phase) {
    self.phase = phase
    self.tokenCount = tokenCount
    start = positions[phase] ?? 0
    positions[phase] = start + tokenCount
  }

  func routing(layer: Int) -> RoutingEvent {
    let table = tables[phase]?[layer] ?? RowTable()
    return table.event(
      phase: phase, layer: layer, rows: start..<(start + tokenCount), header: header)
  }
}

/// What the routers of one layer said of many tokens, a row for each.
private struct RowTable {
  var rowCount = 0
  private var ids: [Int] = []
  private var weights: [Float] = []
  private var scores: [Float] = []
  private var predicted: [(layer: Int, scores: [Float])] = []

  mutating func append(_ event: RoutingEvent, _ header: TraceHeader) {
    let rows = event.ids.count / max(1, header.activated)
    // Tables are whole or empty: a trace has scores of all steps or of none.
    if rowCount == 0 { predicted = event.predicted.map { ($0.layer, []) } }
    rowCount += rows
    ids += event.ids
    weights += event.weights.map(Float.init)
    scores += event.scores.map(Float.init)
    for (index, later) in event.predicted.enumerated() where predicted.indices.contains(index) {
      predicted[index].scores += later.scores.map(Float.init)
    }
  }

  func event(
    phase: Phase, layer: Int, rows: Range<Int>, header: TraceHeader
  ) -> RoutingEvent {
    func numbers(_ table: [Float], width: Int) -> [Double] {
      gather(table, rows, width: width).map(Double.init)
    }
    return RoutingEvent(
      step: 0, phase: phase, layer: layer, ids: gather(ids, rows, width: header.activated),
      weights: numbers(weights, width: header.activated),
      scores: numbers(scores, width: header.experts),
      predicted: predicted.compactMap { later in
        let scores = numbers(later.scores, width: header.experts)
        return scores.isEmpty ? nil : PredictedScores(layer: later.layer, scores: scores)
      })
  }

  /// Rows of a table; from the beginning again behind its end. Empty where the table has not all
  /// rows.
  private func gather<Element>(_ table: [Element], _ rows: Range<Int>, width: Int) -> [Element] {
    guard rowCount > 0, table.count >= rowCount * width else { return [] }
    var result: [Element] = []
    result.reserveCapacity(rows.count * width)
    for row in rows {
      let first = row % rowCount * width
      result += table[first..<(first + width)]
    }
    return result
  }
}
