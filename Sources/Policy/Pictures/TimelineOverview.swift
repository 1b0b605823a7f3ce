import Experts

/// Draws a long run in columns: how each lane spent its time.
struct TimelineOverview {
  private static let columns = 270
  private static let laneHeight = 34.0

  private let timeline: Timeline
  private let windows: [Range<Double>]
  private let all: Range<Double>
  private let scale: Double

  /// - Parameter windows: the parts that are drawn piece by piece below, in time.
  init(_ timeline: Timeline, windows: [Range<Double>]) {
    self.timeline = timeline
    self.windows = windows
    all = timeline.extent
    scale = TimelinePicture.plotWidth / max(all.upperBound - all.lowerBound, 1e-9)
  }

  /// A window's name: A, B, …
  static func letter(_ place: Int) -> String {
    String(Character(Unicode.Scalar(65 + UInt8(place % 26))))
  }

  func draw(on canvas: inout SVGCanvas, from top: Double) -> Double {
    var y = top + 8
    let heading =
      "The whole run: \(Self.count(timeline)) in \(duration(all.upperBound - all.lowerBound))"
    canvas.text(heading, x: 28, y: y + 4, size: 13, isBold: true)
    canvas.text(
      timeline.hasDensePart
        ? "height is the part of the time, white is idle"
        : "height is the part of the time, white is time without experts",
      x: 28 + 1.1 * textWidth(heading, size: 13) + 10, y: y + 4, size: 11.5, fill: Ink.quiet)
    y += 14
    drawPhases(on: &canvas, y: y)
    y += 24
    let rows = y
    for lane in [Lane.gpu, .cpu, .link] {
      draw(lane, on: &canvas, y: y)
      y += Self.laneHeight + 6
    }
    TimeAxis(all, origin: all.lowerBound, scale: scale).draw(on: &canvas, top: y - 6, bottom: y - 6)
    drawWindows(on: &canvas, from: rows - 4, to: y - 2)
    return y + 44
  }

  private static func count(_ timeline: Timeline) -> String {
    let counts = Phase.allCases.compactMap { phase -> String? in
      let steps = Set(timeline.spans.lazy.filter { $0.phase == phase }.map(\.step)).count
      guard steps > 0 else { return nil }
      return "\(steps) \(phase.rawValue) \(steps == 1 ? "step" : "steps")"
    }
    return counts.count == 2 ? counts[0] + " and " + counts[1] : counts.first ?? "no step"
  }

  private func drawWindows(on canvas: inout SVGCanvas, from top: Double, to bottom: Double) {
    var free = TimelinePicture.left - 20
    for (place, window) in windows.enumerated() {
      let x = TimelinePicture.left + (window.lowerBound - all.lowerBound) * scale
      let width = max(2, (window.upperBound - window.lowerBound) * scale)
      canvas.rect(
        x: x - 1, y: top, width: width + 2, height: bottom - top,
        "fill=\"none\" stroke=\"#1b1f24\" stroke-width=\"1.5\" rx=\"2\"")
      let centre = min(max(x + width / 2, free + 14), TimelinePicture.width - 40)
      canvas.text(
        "▲ " + Self.letter(place), x: centre, y: bottom + 32, size: 12, anchor: .middle,
        isBold: true)
      free = centre + 14
    }
  }

  /// A line over each phase and its name, even if the phase is short.
  private func drawPhases(on canvas: inout SVGCanvas, y: Double) {
    let steps = timeline.stepRanges
    var free = TimelinePicture.left
    var first = 0
    while first < steps.count {
      var last = first
      while last + 1 < steps.count, steps[last + 1].phase == steps[first].phase { last += 1 }
      let range = steps[first].range.lowerBound..<steps[last].range.upperBound
      let x = TimelinePicture.left + (range.lowerBound - all.lowerBound) * scale
      let end = TimelinePicture.left + (range.upperBound - all.lowerBound) * scale
      let isPrefill = steps[first].phase == .prefill
      for line in lines(steps[first...last]) {
        canvas.rect(
          x: line.lowerBound, y: y + 13, width: line.upperBound - line.lowerBound, height: 4,
          "fill=\"\(isPrefill ? "#1b1f24" : "#8c959f")\"")
      }
      let name = steps[first].phase.rawValue
      let text = "\(name), \(duration(range.upperBound - range.lowerBound))"
      let start = max(x, free)
      let limit = last + 1 < steps.count ? end : TimelinePicture.width - TimelinePicture.right
      let label = start + textWidth(text, size: 11) <= limit ? text : name
      // Many short phases share the room: those whose name would stand over another go without.
      if start - x < 60, start + textWidth(label, size: 11) <= TimelinePicture.width - 20 {
        canvas.text(label, x: start, y: y + 9, size: 11, fill: Ink.quiet)
        free = start + textWidth(label, size: 11) + 10
      }
      first = last + 1
    }
  }

  /// One line for each step, with a gap between them, or one for all where steps are too short.
  private func lines(_ steps: ArraySlice<StepRange>) -> [Range<Double>] {
    guard let first = steps.first, let last = steps.last else { return [] }
    func line(_ low: Double, _ high: Double) -> Range<Double> {
      let x = TimelinePicture.left + (low - all.lowerBound) * scale
      return x..<(x + max(1, (high - low) * scale - 1.5))
    }
    if steps.contains(where: { $0.length * scale < 6 }) {
      return [line(first.range.lowerBound, last.range.upperBound)]
    }
    return steps.map { line($0.range.lowerBound, $0.range.upperBound) }
  }

  private func draw(_ lane: Lane, on canvas: inout SVGCanvas, y: Double) {
    canvas.text(
      lane == .link ? "Link" : lane.rawValue.uppercased(), x: 28, y: y + 15, size: 14, isBold: true)
    let busy = timeline.busyMicroseconds(on: lane) / (all.upperBound - all.lowerBound)
    canvas.text("\(decimal(100 * busy, 0)) % busy", x: 28, y: y + 30, size: 11, fill: Ink.quiet)
    canvas.rect(
      x: TimelinePicture.left, y: y, width: TimelinePicture.plotWidth, height: Self.laneHeight,
      "fill=\"#ffffff\" stroke=\"\(Ink.frame)\"")
    let shares = shares(of: lane)
    let width = TimelinePicture.plotWidth / Double(Self.columns)
    let kinds = Timeline.Kind.allCases
    for column in 0..<Self.columns {
      var bottom = y + Self.laneHeight
      for place in kinds.indices where shares[column * kinds.count + place] > 0.002 {
        let height = min(shares[column * kinds.count + place] * Self.laneHeight, bottom - y)
        bottom -= height
        canvas.rect(
          x: TimelinePicture.left + Double(column) * width, y: bottom, width: width,
          height: height, SpanBox.attributes(kinds[place], outline: false))
      }
    }
  }

  /// The part of each column's time that a lane spent on each kind, [columns, kinds].
  private func shares(of lane: Lane) -> [Double] {
    let kinds = Timeline.Kind.allCases
    var shares = Array(repeating: 0.0, count: Self.columns * kinds.count)
    let column = (all.upperBound - all.lowerBound) / Double(Self.columns)
    for span in timeline.spans where span.lane == lane {
      let place = kinds.firstIndex(of: span.kind) ?? 0
      var time = span.start
      while time < span.end {
        let index = min(Self.columns - 1, max(0, Int((time - all.lowerBound) / column)))
        let edge = all.lowerBound + Double(index + 1) * column
        let end = index == Self.columns - 1 || edge <= time ? span.end : min(span.end, edge)
        shares[index * kinds.count + place] += (end - time) / column
        time = end
      }
    }
    return shares
  }
}
