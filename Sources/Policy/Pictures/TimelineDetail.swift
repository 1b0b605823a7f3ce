import Experts

/// Draws a window of time piece by piece.
struct TimelineDetail {
  private static let laneHeight = 40.0
  private static let laneGap = 6.0
  private static let lanes: [Lane] = [.gpu, .cpu, .link]

  private let timeline: Timeline
  private let marks: [LayerMark]
  private let window: Range<Double>
  private let bands: TimelineBands
  private let scale: Double

  init(_ timeline: Timeline, marks: [LayerMark], window: Range<Double>) {
    self.timeline = timeline.window(window)
    self.marks = marks.filter { window.contains($0.start) }
    self.window = window
    bands = TimelineBands(window, marks: marks)
    scale = TimelinePicture.plotWidth / max(bands.longest, 1e-9)
  }

  func draw(on canvas: inout SVGCanvas, from top: Double) -> Double {
    var y = top + 8
    canvas.text(heading, x: 28, y: y + 4, size: 13, isBold: true)
    y += 14
    for band in bands.ranges { y = draw(band, on: &canvas, from: y) }
    return y
  }

  private var heading: String {
    let length = duration(window.upperBound - window.lowerBound)
    let steps = Set(marks.map(\.step)).sorted()
    let layers = marks.count == 1 ? "1 layer" : "\(marks.count) layers"
    let phase = timeline.spans.first { $0.step == steps.first }.map { ", \($0.phase.rawValue)" }
    switch steps.count {
    case 0: return "\(length)"
    case 1: return "Step \(steps[0])\(phase ?? ""): \(layers) in \(length)"
    default: return "Steps \(steps[0]) to \(steps[steps.count - 1]): \(layers) in \(length)"
    }
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
    TimeAxis(band, origin: window.lowerBound, scale: scale).draw(
      on: &canvas, top: rows, bottom: rows + height)
    drawMarks(band, on: &canvas, top: top, bottom: rows + height)
    for (row, lane) in Self.lanes.enumerated() {
      let y = rows + Double(row) * (Self.laneHeight + Self.laneGap)
      drawSpans(spans.spans.filter { $0.lane == lane }, band, on: &canvas, y: y)
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

  /// Pieces of one copy that follow each other become one box; so do neighbours of one kind that
  /// are too narrow to be told apart, and that box says how many they are.
  private func drawSpans(
    _ spans: [Timeline.Span], _ band: Range<Double>, on canvas: inout SVGCanvas, y: Double
  ) {
    var boxes = SpanBoxes(scale: scale)
    for span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) { boxes.add(span) }
    for box in boxes.boxes {
      let start = max(box.span.start, band.lowerBound)
      let x = TimelinePicture.left + (start - band.lowerBound) * scale
      let width = max(0.6, (min(box.end, band.upperBound) - start) * scale)
      drawBox(box.span, end: box.end, count: box.count, x: x, y: y, width: width, on: &canvas)
    }
  }

  private func drawBox(
    _ span: Timeline.Span, end: Double, count: Int, x: Double, y: Double, width: Double,
    on canvas: inout SVGCanvas
  ) {
    let style = SpanStyle.of(span.kind)
    canvas.raw("<g><title>\(escaped(description(span, end: end, count: count)))</title>")
    canvas.rect(
      x: x, y: y + 2, width: width, height: Self.laneHeight - 4,
      SpanBox.attributes(span.kind, outline: width >= 3))
    let name = span.expert.map { "\($0)" } ?? ""
    let middle = y + Self.laneHeight / 2
    if !name.isEmpty, count == 1, width >= max(16, textWidth(name, size: 11) + 5) {
      SpanBox.letter(
        style.letter, style, centre: x + width / 2, y: middle - 2, size: 11, on: &canvas)
      SpanBox.letter(name, style, centre: x + width / 2, y: middle + 12, size: 10.5, on: &canvas)
    } else if width >= 11 {
      SpanBox.letter(
        style.letter, style, centre: x + width / 2, y: middle + 4, size: 11, on: &canvas)
    }
    canvas.raw("</g>")
  }

  private func description(_ span: Timeline.Span, end: Double, count: Int) -> String {
    let style = SpanStyle.of(span.kind)
    var text = count > 1 ? "\(count) × \(style.label)" : style.label
    if count == 1, let expert = span.expert { text += ", expert \(expert)" }
    if let layer = span.layer { text += ", layer \(layer)" }
    let start = span.start - window.lowerBound
    text += ", step \(span.step) (\(span.phase.rawValue)): \(decimal(start, 1)) to "
    return text + "\(decimal(end - window.lowerBound, 1)) µs, \(duration(end - span.start))"
  }

  private func drawMarks(
    _ band: Range<Double>, on canvas: inout SVGCanvas, top: Double, bottom: Double
  ) {
    let inside = marks.filter { band.contains($0.start) }
    let steps = Set(marks.map(\.step)).count
    var free = -Double.infinity
    for (place, mark) in inside.enumerated() {
      let x = TimelinePicture.left + (mark.start - band.lowerBound) * scale
      let next = place + 1 < inside.count ? inside[place + 1].start : band.upperBound
      let room = (next - mark.start) * scale
      canvas.line(
        x, top + 12, x, bottom, "stroke=\"#1b1f24\" stroke-opacity=\"0.7\" stroke-dasharray=\"4 3\""
      )
      let layer = "layer \(mark.layer)"
      let names = steps > 1 ? ["step \(mark.step), \(layer)", layer] : [layer]
      let text = names.first { textWidth($0, size: 11) + 8 <= room } ?? "\(mark.layer)"
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
