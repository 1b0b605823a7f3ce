import Experts

/// Draws a long run in columns: how each lane spent its time.
struct TimelineOverview {
  private static let columns = 270
  private static let laneHeight = 34.0

  private let timeline: Timeline
  private let window: Range<Double>
  private let all: Range<Double>
  private let scale: Double

  init(_ timeline: Timeline, window: Range<Double>) {
    self.timeline = timeline
    self.window = window
    all = timeline.extent
    scale = TimelinePicture.plotWidth / max(all.upperBound - all.lowerBound, 1e-9)
  }

  func draw(on canvas: inout SVGCanvas, from top: Double) -> Double {
    var y = top + 8
    let steps = Set(timeline.spans.map(\.step)).count
    let runs = steps == 1 ? "1 step" : "\(steps) steps"
    canvas.text(
      "The whole run: \(runs) in \(duration(all.upperBound - all.lowerBound)); each column shows "
        + "how a lane spent its time, white is idle",
      x: 28, y: y + 4, size: 13, isBold: true)
    y += 14
    drawPhases(on: &canvas, y: y)
    y += 22
    let rows = y
    for lane in [Lane.gpu, .cpu, .link] {
      draw(lane, on: &canvas, y: y)
      y += Self.laneHeight + 6
    }
    TimeAxis(all, origin: all.lowerBound, scale: scale).draw(on: &canvas, top: y - 6, bottom: y - 6)
    let x = TimelinePicture.left + (window.lowerBound - all.lowerBound) * scale
    let width = max(2, (window.upperBound - window.lowerBound) * scale)
    canvas.rect(
      x: x - 1, y: rows - 4, width: width + 2, height: y - 6 - rows + 8,
      "fill=\"none\" stroke=\"#1b1f24\" stroke-width=\"1.5\"")
    let label = "▲ shown below"
    let half = textWidth(label, size: 11) / 2
    let centre = min(
      max(x + width / 2, TimelinePicture.left + half), TimelinePicture.width - 28 - half)
    canvas.text(label, x: centre, y: y + 30, size: 11, anchor: .middle, isBold: true)
    return y + 44
  }

  private func drawPhases(on canvas: inout SVGCanvas, y: Double) {
    for phase in Phase.allCases {
      var low = Double.infinity
      var high = -Double.infinity
      for span in timeline.spans where span.phase == phase && span.lane != .link {
        low = min(low, span.start)
        high = max(high, span.end)
      }
      guard low < high else { continue }
      let x = TimelinePicture.left + (low - all.lowerBound) * scale
      let width = (high - low) * scale
      canvas.line(x, y + 14, x + width, y + 14, "stroke=\"\(Ink.quiet)\" stroke-width=\"2\"")
      guard width > textWidth(phase.rawValue, size: 11) else { continue }
      canvas.text(phase.rawValue, x: x, y: y + 10, size: 11, fill: Ink.quiet)
    }
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
