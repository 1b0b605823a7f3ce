import ExpertCaching
import Experts
import OrderedJSON
import Pictures

/// The hit rates of a replayed trace, in words and as JSON.
struct HitRateReport {
  private let header: TraceHeader
  private let request: ReplayRequest
  private let events: Int
  private let results: [ReplayResult]

  init(_ statistics: TraceStatistics) {
    header = statistics.header
    request = statistics.request
    events = statistics.eventCount
    results = statistics.results()
  }

  var text: String {
    guard events > 0 else { return "The trace has no events.\n" }
    var text = TerminalText.wrapped(
      "\(TerminalText.safe(header.model, width: 80)): "
        + "\(HumanUnits.counted(header.layers, "layer")) of "
        + "\(HumanUnits.counted(header.experts, "expert")), \(header.activated) activated; "
        + HumanUnits.counted(events, "event"))
    for phase in Phase.allCases {
      for admission in request.admissions {
        let rows = results.filter { $0.phase == phase && $0.admission == admission }
        guard let first = rows.first else { continue }
        text += "\n\(phase.rawValue), \(admission.rawValue) admission, "
        text += "\(first.statistics.activated) activated\n"
        // A table of zeros says less than why they are zeros.
        let hasHits = rows.contains { $0.statistics.hits > 0 }
        text += hasHits ? table(rows) : "no hits: every cache starts empty\n"
      }
    }
    return text + "\n" + legend
  }

  // One line for each rule, one column for each capacity.
  private func table(_ rows: [ReplayResult]) -> String {
    var table = TextTable(
      [("hits in 100", .left)]
        + request.capacities.map { capacity in
          let slots = rows.first { $0.capacity == capacity }?.slots ?? 0
          return ("\(share(capacity)) (\(slots) \(slots == 1 ? "slot" : "slots"))", .right)
        })
    for name in request.evictions {
      let cells = request.capacities.map { capacity in
        rows.first { $0.capacity == capacity && $0.eviction == name }.map { row in
          cell(row, isBest: isBest(row, among: rows))
        }
      }
      guard cells.contains(where: { $0 != nil }) else { continue }
      table.add([name.rawValue] + cells.map { $0 ?? "" })
    }
    return table.text
  }

  private func cell(_ row: ReplayResult, isBest: Bool) -> String {
    var text = HumanUnits.fixed(row.statistics.hitRate * 100, 1)
    if let share = row.ofMIN, row.eviction != .min, minHasHits(row) {
      let percent = HumanUnits.fixed(share * 100, 0)
      text += " (" + String(repeating: " ", count: max(0, 3 - percent.count)) + percent + ")"
    } else if row.ofMIN != nil {
      text += "      "
    }
    return text + (isBest ? " *" : "  ")
  }

  private func isBest(_ row: ReplayResult, among rows: [ReplayResult]) -> Bool {
    !row.eviction.isOffline && row.statistics.hits > 0
      && !rows.contains {
        $0.capacity == row.capacity && !$0.eviction.isOffline
          && $0.statistics.hits > row.statistics.hits
      }
  }

  // A share of nothing is none.
  private func minHasHits(_ row: ReplayResult) -> Bool {
    results.contains {
      $0.eviction == .min && $0.capacity == row.capacity && $0.admission == row.admission
        && $0.phase == row.phase && $0.statistics.hits > 0
    }
  }

  private func label(_ name: EvictionName) -> String {
    switch name {
    case .min: "min (knows the future)"
    case .static: "static (knows the counts)"
    default: name.rawValue
    }
  }

  /// In the chart, where names stand at the lines' ends.
  private func lineName(_ name: EvictionName) -> String {
    switch name {
    case .min: "MIN (bound)"
    case .static: "static (offline)"
    default: name.rawValue
    }
  }

  private var legend: String {
    let bound = request.evictions.contains(.min) ? "In brackets: per cent of min. " : ""
    return TerminalText.wrapped(
      bound
        + "*: the most hits of the rules that a run can follow; 'min' knows the future, 'static' "
        + "how often each expert is used.")
  }

  private func share(_ capacity: Double) -> String {
    let percent = capacity * 100
    return HumanUnits.fixed(percent, percent == percent.rounded() ? 0 : 1) + " %"
  }

  /// Hit rates over capacity, of decode where the trace has it, with the first admission.
  var chart: HitRateChart {
    let phase = results.contains { $0.phase == .decode } ? Phase.decode : .prefill
    let rows = results.filter {
      $0.phase == phase && $0.admission == request.admissions.first
    }
    func line(_ name: EvictionName) -> HitRateChart.Line? {
      let points = rows.filter { $0.eviction == name }.map {
        HitRateChart.Line.Point(capacity: $0.capacity, hitRate: $0.statistics.hitRate)
      }
      guard !points.isEmpty else { return nil }
      return HitRateChart.Line(lineName(name), points: points, isEmphasised: name == .auto)
    }
    let activated = rows.first?.statistics.activated ?? 0
    return HitRateChart(
      title: "Expert cache hit rates: \(TerminalText.safe(header.model, width: 60))",
      subtitle:
        "\(phase.rawValue), \(request.admissions.first?.rawValue ?? "") admission, "
        + "\(HumanUnits.count(activated)) activated experts, "
        + (request.scope == .layer ? "one cache for each layer" : "one cache for all layers"),
      lines: request.evictions.filter { $0 != .min }.compactMap(line), bound: line(.min))
  }

  var json: JSONValue {
    .object([
      ("model", .string(header.model)), ("layers", .integer(header.layers)),
      ("events", .integer(events)), ("scope", .string(request.scope.rawValue)),
      ("results", .array(results.map(json))),
    ])
  }

  private func json(_ row: ReplayResult) -> JSONValue {
    let counts = row.statistics
    var members: [(String, JSONValue)] = [
      ("capacity", .double(row.capacity)), ("slots", .integer(row.slots)),
      ("policy", .string(row.eviction.rawValue)), ("admission", .string(row.admission.rawValue)),
      ("phase", .string(row.phase.rawValue)), ("activated", .integer(counts.activated)),
      ("hits", .integer(counts.hits)), ("hitRate", .double(counts.hitRate)),
      ("prefetched", .integer(counts.prefetched)), ("admitted", .integer(counts.admitted)),
      ("evicted", .integer(counts.evicted)),
    ]
    if let ofMIN = row.ofMIN { members.append(("ofMin", .double(ofMIN))) }
    return .object(members)
  }
}
