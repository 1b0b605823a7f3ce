import Experts

/// A forward pass in a timeline.
struct StepRange {
  let step: Int
  let phase: Phase
  /// From its first work up to that of the next step.
  let range: Range<Double>
  let marks: [LayerMark]
  /// Boxes that the CPU or the link has for a layer, on the average.
  let boxesPerLayer: Double

  /// Layers that one band shows so that most boxes have room for an expert's number.
  var layersPerBand: Int { min(7, max(1, Int(32 / max(1, boxesPerLayer)))) }

  /// Bands that one layer needs; a crowded one is broken like a long line of text.
  var bandsPerLayer: Int { min(4, max(1, Int((boxesPerLayer / 44).rounded(.up)))) }

  var bandCount: Int {
    bandsPerLayer > 1
      ? max(1, marks.count) * bandsPerLayer
      : max(1, (marks.count + layersPerBand - 1) / layersPerBand)
  }
}

/// A window of time that is drawn piece by piece, in bands below one another like staves of music,
/// because a token of 26 layers in one line is too fine to read.
struct TimelineSection {
  let heading: String
  let phase: Phase
  /// The step's start, from which the axis counts.
  let origin: Double
  let bands: [Range<Double>]

  var window: Range<Double> { bands[0].lowerBound..<bands[bands.count - 1].upperBound }

  /// As many layers of a step, from its middle, as fit into `limit` bands.
  init(_ step: StepRange, limit: Int) {
    let marks = step.marks
    let perLayer = step.bandsPerLayer
    let shown = min(
      marks.count, perLayer > 1 ? max(1, limit / perLayer) : limit * step.layersPerBand)
    let first = (marks.count - shown) / 2
    let isAll = shown == marks.count
    let low = isAll ? step.range.lowerBound : marks[first].start
    let high =
      isAll || first + shown >= marks.count ? step.range.upperBound : marks[first + shown].start
    let window = low < high ? low..<high : step.range
    phase = step.phase
    origin = step.range.lowerBound
    bands = Self.bands(
      window, layers: marks[first..<(first + shown)].map(\.start),
      perBand: step.layersPerBand, parts: perLayer)
    let length = duration(window.upperBound - window.lowerBound)
    let layers: String
    switch (isAll, shown) {
    case (_, 0): layers = "no layer"
    case (true, 1): layers = "1 layer"
    case (true, _): layers = "\(shown) layers"
    case (false, 1): layers = "layer \(marks[first].layer) (of \(marks.count))"
    case (false, _):
      let joint = shown == 2 ? "and" : "to"
      layers =
        "layers \(marks[first].layer) \(joint) \(marks[first + shown - 1].layer) "
        + "(of \(marks.count))"
    }
    heading = "Step \(step.step), \(step.phase.rawValue): \(layers) in \(length)"
  }

  private static func bands(
    _ window: Range<Double>, layers: [Double], perBand: Int, parts: Int
  ) -> [Range<Double>] {
    let inside = layers.filter { window.contains($0) }
    var cuts = [window.lowerBound]
    func cut(_ time: Double) {
      if time > cuts[cuts.count - 1], time < window.upperBound { cuts.append(time) }
    }
    if perBand == 1 {
      for (place, start) in inside.enumerated() {
        if place > 0 { cut(start) }
        let end = place + 1 < inside.count ? inside[place + 1] : window.upperBound
        for part in 1..<max(1, parts) {
          cut(start + (end - start) * Double(part) / Double(parts))
        }
      }
    } else {
      let count = max(1, (inside.count + perBand - 1) / perBand)
      for band in 1..<max(1, count) {
        let share = Double(band) / Double(count)
        let ideal = window.lowerBound + share * (window.upperBound - window.lowerBound)
        cut(inside.min { ($0 - ideal).magnitude < ($1 - ideal).magnitude } ?? ideal)
      }
    }
    cuts.append(window.upperBound)
    return zip(cuts, cuts.dropFirst()).map { $0..<$1 }
  }

  /// What of a run is drawn piece by piece, in time: all of a short one; of a longer one the longest
  /// prefill's middle layers and a decode step from the middle.
  static func sections(_ timeline: Timeline, wanted: Int?) -> [TimelineSection] {
    let steps = timeline.stepRanges
    if let step = steps.first(where: { $0.step == wanted }) {
      return [TimelineSection(step, limit: 10)]
    }
    if steps.reduce(0, { $0 + $1.bandCount }) <= TimelinePicture.detailedBands {
      return steps.map { TimelineSection($0, limit: TimelinePicture.detailedBands) }
    }
    var chosen: [TimelineSection] = []
    let decodes = steps.filter { $0.phase == .decode }
    // The first of the longest: `max` would give the last one.
    var longest: StepRange?
    for step in steps where step.phase == .prefill {
      if step.length > longest?.length ?? -1 { longest = step }
    }
    if let longest { chosen.append(TimelineSection(longest, limit: decodes.isEmpty ? 4 : 2)) }
    if !decodes.isEmpty {
      chosen.append(TimelineSection(decodes[decodes.count / 2], limit: 5))
    }
    return chosen.sorted { $0.window.lowerBound < $1.window.lowerBound }
  }
}

extension StepRange {
  var length: Double { range.upperBound - range.lowerBound }
}
