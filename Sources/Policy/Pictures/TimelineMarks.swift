import Experts

/// When a layer of a step began.
struct LayerMark: Equatable {
  var step: Int
  var layer: Int
  var start: Double
}

extension Timeline {
  /// The beginnings of all layers, in time. Copies do not count: they may be for a
  /// layer to come or one that is over.
  var layerMarks: [LayerMark] {
    var marks: [LayerMark] = []
    var places: [Int: [Int: Int]] = [:]
    for span in spans {
      guard let layer = span.layer, span.lane != .link else { continue }
      if let place = places[span.step]?[layer] {
        marks[place].start = min(marks[place].start, span.start)
      } else {
        places[span.step, default: [:]][layer] = marks.count
        marks.append(LayerMark(step: span.step, layer: layer, start: span.start))
      }
    }
    return marks.sorted { ($0.start, $0.step, $0.layer) < ($1.start, $1.step, $1.layer) }
  }

  /// From the first start to the last end; empty at 0 where there is no span.
  var extent: Range<Double> {
    var low = Double.infinity
    var high = 0.0
    for span in spans {
      low = min(low, span.start)
      high = max(high, span.end)
    }
    return low < high ? low..<high : 0..<0
  }

  /// The spans whose times are numbers and in order; nothing else can be drawn.
  var drawable: Timeline {
    Timeline(
      spans: spans.filter { $0.start.isFinite && $0.end.isFinite && $0.start <= $0.end })
  }

  /// The forward passes, in time; together they cover the extent.
  var stepRanges: [StepRange] {
    let all = extent
    guard !all.isEmpty else { return [] }
    var starts: [Int: (work: Double, phase: Phase)] = [:]
    var boxes: [Int: [Lane: Set<Piece>]] = [:]
    for span in spans {
      var entry = starts[span.step] ?? (.infinity, span.phase)
      if span.lane != .link { entry.work = min(entry.work, span.start) }
      starts[span.step] = entry
      guard span.lane != .gpu else { continue }
      boxes[span.step, default: [:]][span.lane, default: []].insert(
        Piece(kind: span.kind, layer: span.layer, expert: span.expert))
    }
    let marks = Dictionary(grouping: layerMarks, by: \.step)
    let sorted = starts.map { (step: $0.key, start: min($0.value.work, all.upperBound)) }
      .sorted { ($0.start, $0.step) < ($1.start, $1.step) }
    var ranges: [StepRange] = []
    for (place, entry) in sorted.enumerated() {
      let start = place == 0 ? all.lowerBound : entry.start
      let end = place + 1 < sorted.count ? sorted[place + 1].start : all.upperBound
      guard start < end else { continue }
      let layers = marks[entry.step] ?? []
      let most = boxes[entry.step]?.values.map(\.count).max() ?? 0
      ranges.append(
        StepRange(
          step: entry.step, phase: starts[entry.step]?.phase ?? .decode, range: start..<end,
          marks: layers, boxesPerLayer: Double(most) / Double(max(1, layers.count))))
    }
    return ranges
  }

  /// What makes one box, however many pieces it was moved in.
  private struct Piece: Hashable {
    let kind: Kind
    let layer: Int?
    let expert: Int?
  }
}
