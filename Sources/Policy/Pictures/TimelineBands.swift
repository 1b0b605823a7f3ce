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
}

/// How a window of time is broken into bands, one below the other like staves of music, because a
/// token of 26 layers in one line is too fine to read.
struct TimelineBands {
  let ranges: [Range<Double>]

  /// Bands of about seven layers that begin where a layer begins.
  init(_ window: Range<Double>, marks: [LayerMark]) {
    let inside = marks.map(\.start).filter { window.contains($0) }
    let count = min(10, max(1, (inside.count + 6) / 7))
    var cuts = [window.lowerBound]
    for band in 1..<max(1, count) {
      let share = Double(band) / Double(count)
      let ideal = window.lowerBound + share * (window.upperBound - window.lowerBound)
      let nearest = inside.min { ($0 - ideal).magnitude < ($1 - ideal).magnitude } ?? ideal
      if nearest > cuts[cuts.count - 1], nearest < window.upperBound { cuts.append(nearest) }
    }
    cuts.append(window.upperBound)
    ranges = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
  }

  /// Microseconds of the longest band: all are drawn to one scale.
  var longest: Double { ranges.reduce(0) { max($0, $1.upperBound - $1.lowerBound) } }
}
