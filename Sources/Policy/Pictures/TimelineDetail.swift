import Experts

/// Lanes that are drawn together: what happened, or what was planned.
struct LaneGroup {
  /// Said beside each lane where there are several groups.
  let name: String?
  let timeline: Timeline
  let laneHeight: Double

  static let laneGap = 6.0
  static let lanes: [Lane] = [.gpu, .cpu, .link]

  /// What was measured or simulated alone.
  init(_ timeline: Timeline) { self.init(timeline, name: nil, laneHeight: 40) }

  private init(_ timeline: Timeline, name: String?, laneHeight: Double) {
    self.timeline = timeline
    self.name = name
    self.laneHeight = laneHeight
  }

  /// What was measured, and below it, smaller, what the plans had expected.
  static func pair(measured: Timeline, predicted: Timeline) -> [LaneGroup] {
    [
      LaneGroup(measured, name: "measured", laneHeight: 36),
      LaneGroup(predicted, name: "predicted", laneHeight: 28),
    ]
  }

  var height: Double {
    let lanes = Double(Self.lanes.count)
    return lanes * laneHeight + (lanes - 1) * Self.laneGap
  }

  func window(_ range: Range<Double>) -> LaneGroup {
    LaneGroup(timeline.window(range), name: name, laneHeight: laneHeight)
  }
}

/// Draws a window of time piece by piece.
struct TimelineDetail {
  private static let groupGap = 16.0

  private let groups: [LaneGroup]
  private let marks: [LayerMark]
  private let section: TimelineSection
  private let heading: String
  private let scale: Double

  /// - Parameter letter: by which the overview names the section.
  init(_ groups: [LaneGroup], marks: [LayerMark], section: TimelineSection, letter: String?) {
    self.groups = groups.map { $0.window(section.window) }
    self.marks = marks.filter { section.window.contains($0.start) }
    self.section = section
    heading = (letter.map { $0 + " · " } ?? "") + section.heading
    // All bands of a section are drawn to one scale.
    let longest = section.bands.reduce(0) { max($0, $1.upperBound - $1.lowerBound) }
    scale = TimelinePicture.plotWidth / max(longest, 1e-9)
  }

  func draw(on canvas: inout SVGCanvas, from top: Double) -> Double {
    var y = top + 8
    canvas.text(heading, x: 28, y: y + 4, size: 13, isBold: true)
    y += 14
    for band in section.bands { y = draw(band, on: &canvas, from: y) }
    return y
  }

  private func draw(_ band: Range<Double>, on canvas: inout SVGCanvas, from top: Double) -> Double {
    var y = top + 22
    var tops: [Double] = []
    for group in groups {
      tops.append(y)
      drawRows(of: group, band, on: &canvas, from: y)
      y += group.height + Self.groupGap
    }
    let bottom = y - Self.groupGap
    TimeAxis(band, origin: section.origin, scale: scale).draw(
      on: &canvas, top: top + 22, bottom: bottom)
    drawMarks(band, on: &canvas, top: top, bottom: bottom)
    for (group, y) in zip(groups, tops) { drawBoxes(of: group, band, on: &canvas, from: y) }
    return bottom + 34
  }

  private func drawRows(
    of group: LaneGroup, _ band: Range<Double>, on canvas: inout SVGCanvas, from top: Double
  ) {
    let spans = group.timeline.window(band)
    for (row, lane) in LaneGroup.lanes.enumerated() {
      let y = top + Double(row) * (group.laneHeight + LaneGroup.laneGap)
      canvas.rect(
        x: TimelinePicture.left, y: y, width: (band.upperBound - band.lowerBound) * scale,
        height: group.laneHeight, "fill=\"\(Ink.row)\"")
      drawName(lane, group, spans, band, on: &canvas, y: y)
    }
  }

  private func drawBoxes(
    of group: LaneGroup, _ band: Range<Double>, on canvas: inout SVGCanvas, from top: Double
  ) {
    let spans = group.timeline.window(band)
    for (row, lane) in LaneGroup.lanes.enumerated() {
      let y = top + Double(row) * (group.laneHeight + LaneGroup.laneGap)
      LaneBoxes(
        spans.spans.filter { $0.lane == lane }, band: band, origin: section.origin, scale: scale
      ).draw(on: &canvas, y: y, height: group.laneHeight)
    }
  }

  private func drawName(
    _ lane: Lane, _ group: LaneGroup, _ spans: Timeline, _ band: Range<Double>,
    on canvas: inout SVGCanvas, y: Double
  ) {
    let name = lane == .link ? "Link" : lane.rawValue.uppercased()
    var busy = 0.0
    for span in spans.spans where span.lane == lane {
      busy += min(span.end, band.upperBound) - max(span.start, band.lowerBound)
    }
    let share = decimal(100 * busy / (band.upperBound - band.lowerBound), 0) + " %"
    let middle = y + group.laneHeight / 2
    guard let groupName = group.name else {
      canvas.text(name, x: 28, y: middle - 2, size: 14, isBold: true)
      canvas.text("\(share) busy", x: 28, y: middle + 13, size: 11, fill: Ink.quiet)
      return
    }
    canvas.text(name, x: 28, y: middle - 1, size: 13, isBold: true)
    canvas.text(share, x: 64, y: middle - 1, size: 11, fill: Ink.quiet)
    canvas.text(groupName, x: 28, y: middle + 11, size: 11, fill: Ink.quiet)
  }

  private func drawMarks(
    _ band: Range<Double>, on canvas: inout SVGCanvas, top: Double, bottom: Double
  ) {
    let inside = marks.filter { band.contains($0.start) }
    var free = -Double.infinity
    for (place, mark) in inside.enumerated() {
      let x = TimelinePicture.left + (mark.start - band.lowerBound) * scale
      let next = place + 1 < inside.count ? inside[place + 1].start : band.upperBound
      let room = (next - mark.start) * scale
      canvas.line(
        x, top + 12, x, bottom, "stroke=\"#1b1f24\" stroke-opacity=\"0.7\" stroke-dasharray=\"4 3\""
      )
      let layer = "layer \(mark.layer)"
      let text = textWidth(layer, size: 11) + 8 <= room ? layer : "\(mark.layer)"
      guard x >= free else { continue }
      canvas.text(text, x: x + 3, y: top + 17, size: 11, fill: Ink.quiet)
      free = x + textWidth(text, size: 11) + 8
    }
  }
}

/// Ticks of a band, counted from the window's beginning.
struct TimeAxis {
  private let band: Range<Double>
  private let origin: Double
  private let scale: Double

  init(_ band: Range<Double>, origin: Double, scale: Double) {
    self.band = band
    self.origin = origin
    self.scale = scale
  }

  func draw(on canvas: inout SVGCanvas, top: Double, bottom: Double) {
    let low = band.lowerBound - origin
    let high = band.upperBound - origin
    let longest = TimelinePicture.plotWidth / scale
    let step = roundStep(longest, count: 12)
    let (unit, name) = Self.unit(for: step)
    let right = TimelinePicture.left + (high - low) * scale
    canvas.line(
      TimelinePicture.left, bottom + 4, right, bottom + 4, "stroke=\"\(Ink.quiet)\"")
    var tick = (low / step).rounded(.up)
    while tick * step <= high + step * 1e-6 {
      let x = TimelinePicture.left + (tick * step - low) * scale
      canvas.line(x, top, x, bottom, "stroke=\"\(Ink.grid)\"")
      canvas.line(x, bottom + 4, x, bottom + 8, "stroke=\"\(Ink.quiet)\"")
      let label = decimal(tick * step / unit, 4) + " " + name
      canvas.text(label, x: x, y: bottom + 20, size: 10.5, fill: Ink.quiet, anchor: .middle)
      tick += 1
    }
  }

  static func unit(for step: Double) -> (microseconds: Double, name: String) {
    switch step {
    case ..<0.5: (0.001, "ns")
    case ..<500: (1, "µs")
    case ..<500_000: (1000, "ms")
    default: (1_000_000, "s")
    }
  }
}
