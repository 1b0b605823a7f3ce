/// A line's name at its end.
struct ChartLabel {
  let name: String
  let rate: String
  let style: LineStyle
  let isBold: Bool
  /// Where the line ends.
  let x: Double
  let target: Double
  /// Where the label stands, so that it covers no other.
  var y = 0.0

  init(name: String, rate: String, style: LineStyle, isBold: Bool, x: Double, target: Double) {
    self.name = name
    self.rate = rate
    self.style = style
    self.isBold = isBold
    self.x = x
    self.target = target
    y = target
  }

  /// Moves labels apart, as little as possible downwards first, then back up from the bottom.
  static func spread(_ labels: inout [ChartLabel], height: Double, from top: Double, to end: Double)
  {
    labels.sort { ($0.target, $0.name) < ($1.target, $1.name) }
    // Groups that touch stand centred about the mean of their targets, and join what they reach.
    var groups: [(first: Int, count: Int, middle: Double)] = []
    for place in labels.indices {
      groups.append((place, 1, labels[place].target))
      while groups.count > 1 {
        let last = groups[groups.count - 1]
        let before = groups[groups.count - 2]
        let reach = Double(last.count + before.count) * height / 2
        guard last.middle - before.middle < reach else { break }
        let count = before.count + last.count
        let middle =
          (before.middle * Double(before.count) + last.middle * Double(last.count)) / Double(count)
        groups.removeLast(2)
        groups.append((before.first, count, middle))
      }
    }
    for group in groups {
      for place in 0..<group.count {
        let offset = (Double(place) - Double(group.count - 1) / 2) * height
        labels[group.first + place].y = group.middle + offset
      }
    }
    var limit = end
    for place in labels.indices.reversed() {
      labels[place].y = min(labels[place].y, limit)
      limit = labels[place].y - height
    }
    limit = top
    for place in labels.indices {
      labels[place].y = max(labels[place].y, limit)
      limit = labels[place].y + height
    }
  }

  private static let size = 12.5
  /// From the plot's right to the marker, and from there to the name.
  private static let (lead, indent) = (34.0, 18.0)
  /// Between name and rate.
  private static let gap = 14.0
  private static let longest = 240.0

  private func width(_ text: String) -> Double {
    textWidth(text, size: Self.size) * (isBold ? 1.1 : 1)
  }

  /// The room that labels need beside the plot.
  static func room(_ labels: [ChartLabel]) -> Double {
    let name = labels.reduce(0) { max($0, min(longest, $1.width($1.name))) }
    let rate = labels.reduce(0) { max($0, $1.width($1.rate)) }
    return max(200, lead + indent + name + gap + rate + 24)
  }

  func draw(on canvas: inout SVGCanvas, right: Double) {
    let left = HitRateChart.plot.right + Self.lead
    canvas.raw(
      "<path d=\"M\(decimal(x + 7)) \(decimal(target))L\(decimal(left - 12)) \(decimal(y))"
        + "H\(decimal(left - 4))\" fill=\"none\" stroke=\"\(style.color)\" stroke-width=\"1\" "
        + "stroke-opacity=\"0.6\"/>")
    style.mark(x: left + 5, y: y, on: &canvas)
    // A hair more, lest rounding cuts the longest name.
    let room = right - left - Self.indent - width(rate) - Self.gap + 0.01
    canvas.text(
      cut(name, to: room / (isBold ? 1.1 : 1), size: Self.size), x: left + Self.indent, y: y + 4.5,
      size: Self.size, isBold: isBold)
    canvas.text(
      rate, x: right, y: y + 4.5, size: Self.size, fill: Ink.quiet, anchor: .end, isBold: isBold)
  }
}
