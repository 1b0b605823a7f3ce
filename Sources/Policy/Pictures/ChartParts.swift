/// Colour, dashes and marker of a line; no two of the first ten share a marker.
struct LineStyle {
  let color: String
  let dashes: String
  let marker: Int
  var isBound = false

  static let bound = LineStyle(color: "#1b1f24", dashes: "none", marker: -1, isBound: true)

  /// Okabe and Ito's colours without their yellow, which is too pale for a line on white.
  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#3a9bd9", "#57606a",
  ]
  private static let dashings = ["none", "7 3", "2 3", "9 3 2 3", "12 4", "4 2"]

  static func of(_ place: Int) -> LineStyle {
    LineStyle(
      color: colors[place % colors.count], dashes: dashings[place % dashings.count],
      marker: place % 10)
  }

  func mark(x: Double, y: Double, on canvas: inout SVGCanvas) {
    let (left, right, up, down) =
      (decimal(x - 4.5), decimal(x + 4.5), decimal(y - 4.5), decimal(y + 4.5))
    let (cx, cy) = (decimal(x), decimal(y))
    let isHollow = marker >= 5
    let paint =
      "fill=\"\(isHollow ? "#ffffff" : color)\" stroke=\"\(isHollow ? color : "#ffffff")\" "
      + "stroke-width=\"\(isHollow ? "1.8" : "1")\""
    let shape =
      switch marker {
      case 0, 5: "<circle cx=\"\(cx)\" cy=\"\(cy)\" r=\"4.5\" \(paint)/>"
      case 1, 6: "<path d=\"M\(left) \(up)H\(right)V\(down)H\(left)Z\" \(paint)/>"
      case 2, 7: "<path d=\"M\(cx) \(decimal(y - 5.5))L\(right) \(down)H\(left)Z\" \(paint)/>"
      case 3, 8:
        "<path d=\"M\(cx) \(decimal(y - 6))L\(decimal(x + 6)) \(cy)L\(cx) \(decimal(y + 6))"
          + "L\(decimal(x - 6)) \(cy)Z\" \(paint)/>"
      case 4, 9: "<path d=\"M\(cx) \(decimal(y + 5.5))L\(right) \(up)H\(left)Z\" \(paint)/>"
      default:
        "<path d=\"M\(left) \(up)L\(right) \(down)M\(left) \(down)L\(right) \(up)\" "
          + "stroke=\"\(color)\" stroke-width=\"2\" fill=\"none\"/>"
      }
    canvas.raw(shape)
  }
}

/// The axes: capacity from left to right, 0 to 100 % from the bottom to the top.
struct CapacityScale {
  private let capacities: [Double]
  private let low: Double
  private let high: Double

  init(_ points: [HitRateChart.Line.Point]) {
    capacities = Set(points.map(\.capacity)).sorted()
    low = capacities.first ?? 0
    high = capacities.last ?? 1
  }

  func x(_ capacity: Double) -> Double {
    let (left, right) = (HitRateChart.plot.left + 16, HitRateChart.plot.right - 12)
    guard high > low else { return (left + right) / 2 }
    return left + (capacity - low) / (high - low) * (right - left)
  }

  func y(_ rate: Double) -> Double {
    HitRateChart.plot.bottom - rate * (HitRateChart.plot.bottom - HitRateChart.plot.top)
  }

  func draw(on canvas: inout SVGCanvas) {
    let plot = HitRateChart.plot
    for percent in stride(from: 0, through: 100, by: 20) {
      let y = y(Double(percent) / 100)
      canvas.line(
        plot.left, y, plot.right, y,
        "stroke=\"\(percent == 0 ? Ink.quiet : Ink.grid)\"")
      canvas.text(
        "\(percent) %", x: plot.left - 8, y: y + 4, size: 11.5, fill: Ink.quiet, anchor: .end)
    }
    var free = -Double.infinity
    for capacity in capacities {
      let x = x(capacity)
      canvas.line(x, plot.bottom, x, plot.bottom + 5, "stroke=\"\(Ink.quiet)\"")
      let text = decimal(100 * capacity, 1) + " %"
      let half = textWidth(text, size: 11.5) / 2
      guard x - half > free else { continue }
      canvas.text(
        text, x: x, y: plot.bottom + 20, size: 11.5, fill: Ink.quiet, anchor: .middle)
      free = x + half + 4
    }
    canvas.text(
      "part of each layer's experts that the cache holds", x: (plot.left + plot.right) / 2,
      y: plot.bottom + 42, size: 12, anchor: .middle)
    canvas.text("hit rate", x: plot.left - 44, y: plot.top - 16, size: 12)
  }
}
