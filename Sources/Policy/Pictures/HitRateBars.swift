/// The chart of a single capacity: one bar for each policy, best first, and the bound as a line that
/// none of them passes.
struct HitRateBars {
  private struct Row {
    let name: String
    let rate: Double
    let isBold: Bool
    let isBound: Bool
  }

  private static let rowHeight = 30.0
  private static let barHeight = 18.0
  private static let size = 13.0
  private static let plotWidth = 560.0

  private let rows: [Row]
  private let bound: Double?
  private let capacity: Double
  private let left: Double

  /// - Parameter capacity: that of every point.
  init(_ lines: [HitRateChart.Line], bound: HitRateChart.Line?, capacity: Double) {
    self.capacity = capacity
    self.bound = bound?.points.last?.hitRate
    var rows = lines.compactMap { line in
      line.points.last.map {
        Row(name: line.name, rate: $0.hitRate, isBold: line.isEmphasised, isBound: false)
      }
    }
    rows.sort { ($1.rate, $0.name) < ($0.rate, $1.name) }
    if let bound, let rate = bound.points.last?.hitRate {
      rows.insert(Row(name: bound.name, rate: rate, isBold: true, isBound: true), at: 0)
    }
    self.rows = rows
    let longest = rows.reduce(0) {
      max($0, min(240, textWidth($1.name, size: Self.size) * ($1.isBold ? 1.1 : 1)))
    }
    left = 28 + longest + 14
  }

  /// The picture's width.
  var width: Double { max(720, left + Self.plotWidth + 84) }

  private func x(_ rate: Double) -> Double { left + rate * Self.plotWidth }

  func draw(on canvas: inout SVGCanvas, from top: Double) -> Double {
    let caption = "hit rate with \(decimal(100 * capacity, 1)) % of the experts in the cache"
    canvas.text(caption, x: 28, y: top + 12, size: 13, isBold: true)
    if bound != nil, rows.count > 1 {
      canvas.text(
        "grey: what a better policy could still win",
        x: 28 + 1.1 * textWidth(caption, size: 13) + 10, y: top + 12, size: 11.5, fill: Ink.quiet)
    }
    let first = top + 34
    let bottom = first + Double(rows.count) * Self.rowHeight
    for percent in stride(from: 0, through: 100, by: 20) {
      let x = x(Double(percent) / 100)
      canvas.line(
        x, first - 4, x, bottom + 2, "stroke=\"\(percent == 0 ? Ink.quiet : Ink.grid)\"")
      canvas.text(
        "\(percent) %", x: x, y: bottom + 18, size: 11.5, fill: Ink.quiet, anchor: .middle)
    }
    for (place, row) in rows.enumerated() {
      draw(row, on: &canvas, y: first + Double(place) * Self.rowHeight)
    }
    if let bound {
      canvas.line(
        x(bound), first - 4, x(bound), bottom + 2, "stroke=\"#1b1f24\" stroke-dasharray=\"4 3\"")
    }
    return bottom + 40
  }

  private func draw(_ row: Row, on canvas: inout SVGCanvas, y: Double) {
    let middle = y + Self.rowHeight / 2
    let top = middle - Self.barHeight / 2
    canvas.text(
      cut(row.name, to: (left - 42) / (row.isBold ? 1.1 : 1) + 0.01, size: Self.size), x: left - 10,
      y: middle + 4.5, size: Self.size, anchor: .end, isBold: row.isBold)
    let fill = row.isBound ? "#1b1f24" : row.isBold ? "#0072b2" : "#8fc1e3"
    let rate = fixed(100 * row.rate) + " %"
    canvas.raw("<g><title>\(escaped("\(row.name): \(rate)"))</title>")
    canvas.rect(
      x: left, y: top, width: x(row.rate) - left, height: Self.barHeight,
      "fill=\"\(fill)\" rx=\"2\"")
    if let bound, bound > row.rate {
      canvas.rect(
        x: x(row.rate), y: top, width: x(bound) - x(row.rate), height: Self.barHeight,
        "fill=\"#eef1f4\"")
    }
    canvas.text(
      rate, x: x(max(row.rate, bound ?? 0)) + 8, y: middle + 4.5, size: Self.size,
      isBold: row.isBold)
    canvas.raw("</g>")
  }
}
