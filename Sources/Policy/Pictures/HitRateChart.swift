/// A chart of hit rates over cache capacity, one line for each policy, against what is possible.
///
/// Lines carry their names at their ends, where the eye is anyway; they differ in colour, dashes and
/// markers. The bound (Belady's MIN) is black and thick, and the gap between it and the best policy
/// is shaded: that is what a better policy could still win. A single capacity has no lines, so it
/// becomes a ranking in bars.
public struct HitRateChart: Sendable {
  /// One policy's line.
  public struct Line: Equatable, Sendable {
    /// A cache size and the part of activated experts that were resident, both 0 to 1.
    public struct Point: Equatable, Sendable {
      public var capacity: Double
      public var hitRate: Double

      public init(capacity: Double, hitRate: Double) {
        self.capacity = capacity
        self.hitRate = hitRate
      }
    }

    public var name: String
    /// In any order; points that are not numbers are left out.
    public var points: [Point]
    /// Drawn thicker than the others.
    public var isEmphasised: Bool

    public init(_ name: String, points: [Point], isEmphasised: Bool = false) {
      self.name = name
      self.points = points
      self.isEmphasised = isEmphasised
    }
  }

  public var title: String
  /// A second, quieter line, such as the phase, the admission and the number of events.
  public var subtitle: String
  public var lines: [Line]
  /// The best that is possible; `nil` where it is not known.
  public var bound: Line?

  public init(title: String, subtitle: String = "", lines: [Line], bound: Line? = nil) {
    self.title = title
    self.subtitle = subtitle
    self.lines = lines
    self.bound = bound
  }

  static let plot = (left: 72.0, top: 104.0, right: 700.0, bottom: 584.0)
  private static let labelHeight = 18.0

  /// The chart as SVG text; the same lines give the same text.
  public func svg() -> String {
    let drawn = lines.map(Self.cleaned)
    let limit = bound.map(Self.cleaned)
    let points = (drawn + [limit].compactMap { $0 }).flatMap(\.points)
    var canvas = SVGCanvas()
    if Set(points.map(\.capacity)).count == 1, let capacity = points.first?.capacity {
      let bars = HitRateBars(drawn, bound: limit, capacity: capacity)
      drawTitle(on: &canvas, width: bars.width)
      let height = bars.draw(on: &canvas, from: 76)
      return canvas.document(width: bars.width, height: height, title: title)
    }
    let scale = CapacityScale(points)
    var labels = labels(drawn, limit, scale)
    let width = Self.plot.right + ChartLabel.room(labels)
    drawTitle(on: &canvas, width: width)
    if let limit { shade(limit, drawn, scale, on: &canvas) }
    scale.draw(on: &canvas)
    if let limit { draw(limit, LineStyle.bound, scale, on: &canvas) }
    // What is emphasised covers the others.
    for isEmphasised in [false, true] {
      for (place, line) in drawn.enumerated() where line.isEmphasised == isEmphasised {
        draw(line, LineStyle.of(place), scale, on: &canvas)
      }
    }
    let height = max(Self.plot.bottom + 88, 110 + Double(labels.count) * Self.labelHeight)
    ChartLabel.spread(
      &labels, height: Self.labelHeight, from: Self.plot.top, to: height - 30)
    for label in labels { label.draw(on: &canvas, right: width - 24) }
    if labels.isEmpty {
      canvas.text(
        "Nothing was measured.", x: Self.plot.left + 24, y: Self.plot.top + 40, size: 14,
        fill: Ink.quiet)
    }
    return canvas.document(width: width, height: height, title: title)
  }

  private func drawTitle(on canvas: inout SVGCanvas, width: Double) {
    canvas.text(cut(title, to: width - 60, size: 18), x: 28, y: 34, size: 18, isBold: true)
    canvas.text(
      cut(subtitle, to: width - 60, size: 12.5), x: 28, y: 55, size: 12.5, fill: Ink.quiet)
  }

  private func labels(_ drawn: [Line], _ limit: Line?, _ scale: CapacityScale) -> [ChartLabel] {
    var labels: [ChartLabel] = []
    if let limit, let last = limit.points.last {
      labels.append(label(limit, last, LineStyle.bound, scale))
    }
    for (place, line) in drawn.enumerated() {
      if let last = line.points.last {
        labels.append(label(line, last, LineStyle.of(place), scale))
      }
    }
    return labels
  }

  private static func cleaned(_ line: Line) -> Line {
    var line = line
    line.points = line.points.filter { $0.capacity.isFinite && $0.hitRate.isFinite }
      .map { Line.Point(capacity: $0.capacity, hitRate: min(1, max(0, $0.hitRate))) }
      .sorted { ($0.capacity, $0.hitRate) < ($1.capacity, $1.hitRate) }
    return line
  }

  private func label(
    _ line: Line, _ last: Line.Point, _ style: LineStyle, _ scale: CapacityScale
  ) -> ChartLabel {
    ChartLabel(
      name: line.name, rate: fixed(100 * last.hitRate) + " %", style: style,
      isBold: line.isEmphasised || style.isBound, x: scale.x(last.capacity),
      target: scale.y(last.hitRate))
  }

  /// Between the best line and the bound, over the capacities that the bound has.
  private func shade(
    _ limit: Line, _ lines: [Line], _ scale: CapacityScale, on canvas: inout SVGCanvas
  ) {
    var upper = ""
    var lower = ""
    for point in limit.points {
      let rates = lines.flatMap(\.points).filter { $0.capacity == point.capacity }.map(\.hitRate)
      guard let best = rates.max(), best <= point.hitRate else { continue }
      let x = decimal(scale.x(point.capacity))
      upper += "\(x),\(decimal(scale.y(point.hitRate))) "
      lower = "\(x),\(decimal(scale.y(best))) " + lower
    }
    guard !upper.isEmpty else { return }
    let note = "what a better policy could still win"
    canvas.raw(
      "<g><title>\(note)</title>"
        + "<polygon points=\"\(upper)\(lower)\" fill=\"#eef1f4\"/></g>")
    let y = Self.plot.bottom + 52
    canvas.rect(
      x: Self.plot.left, y: y, width: 26, height: 14,
      "fill=\"#eef1f4\" stroke=\"\(Ink.frame)\"")
    canvas.text(note, x: Self.plot.left + 34, y: y + 11.5, size: 12, fill: Ink.quiet)
  }

  private func draw(
    _ line: Line, _ style: LineStyle, _ scale: CapacityScale, on canvas: inout SVGCanvas
  ) {
    let width = style.isBound || line.isEmphasised ? 3.0 : 1.8
    var path = ""
    for point in line.points {
      path += "\(decimal(scale.x(point.capacity))),\(decimal(scale.y(point.hitRate))) "
    }
    canvas.raw(
      "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(style.color)\" "
        + "stroke-width=\"\(decimal(width))\" stroke-dasharray=\"\(line.isEmphasised ? "none" : style.dashes)\" "
        + "stroke-linejoin=\"round\"/>")
    for point in line.points {
      let text =
        "\(line.name), \(decimal(100 * point.capacity, 1)) % of the experts: "
        + "\(decimal(100 * point.hitRate, 2)) %"
      canvas.raw("<g><title>\(escaped(text))</title>")
      style.mark(x: scale.x(point.capacity), y: scale.y(point.hitRate), on: &canvas)
      canvas.raw("</g>")
    }
  }
}
