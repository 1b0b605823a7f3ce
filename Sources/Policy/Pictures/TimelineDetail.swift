import Experts

/// Draws a window of time piece by piece.
struct TimelineDetail {
  private static let laneHeight = 40.0
  private static let laneGap = 6.0
  private static let lanes: [Lane] = [.gpu, .cpu, .link]

  private let timeline: Timeline
  private let marks: [LayerMark]
  private let section: TimelineSection
  private let heading: String
  private let scale: Double

  /// - Parameter letter: by which the overview names the section.
  init(_ timeline: Timeline, marks: [LayerMark], section: TimelineSection, letter: String?) {
    self.timeline = timeline.window(section.window)
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
    let spans = timeline.window(band)
    let rows = top + 22
    let height = 3 * Self.laneHeight + 2 * Self.laneGap
    let width = (band.upperBound - band.lowerBound) * scale
    let left = TimelinePicture.left
    for (row, lane) in Self.lanes.enumerated() {
      let y = rows + Double(row) * (Self.laneHeight + Self.laneGap)
      canvas.rect(x: left, y: y, width: width, height: Self.laneHeight, "fill=\"\(Ink.row)\"")
      drawName(lane, spans, band, on: &canvas, y: y)
    }
    TimeAxis(band, origin: section.origin, scale: scale).draw(
      on: &canvas, top: rows, bottom: rows + height)
    drawMarks(band, on: &canvas, top: top, bottom: rows + height)
    for (row, lane) in Self.lanes.enumerated() {
      let y = rows + Double(row) * (Self.laneHeight + Self.laneGap)
      LaneBoxes(
        spans.spans.filter { $0.lane == lane }, band: band, origin: section.origin, scale: scale
      ).draw(on: &canvas, y: y, height: Self.laneHeight)
    }
    return rows + height + 34
  }

  private func drawName(
    _ lane: Lane, _ spans: Timeline, _ band: Range<Double>, on canvas: inout SVGCanvas, y: Double
  ) {
    let name = lane == .link ? "Link" : lane.rawValue.uppercased()
    var busy = 0.0
    for span in spans.spans where span.lane == lane {
      busy += min(span.end, band.upperBound) - max(span.start, band.lowerBound)
    }
    let share = 100 * busy / (band.upperBound - band.lowerBound)
    canvas.text(name, x: 28, y: y + 18, size: 14, isBold: true)
    canvas.text("\(decimal(share, 0)) % busy", x: 28, y: y + 33, size: 11, fill: Ink.quiet)
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
