import Experts

/// One span's rectangle and what is written in it.
enum SpanBox {
  static func attributes(_ kind: Timeline.Kind, outline: Bool = true) -> String {
    "fill=\"url(#\(SpanStyle.identifier(kind)))\""
      + (outline
        ? " stroke=\"\(SpanStyle.of(kind).edge)\" stroke-width=\"1\" rx=\"2\""
          + (kind == .cancelledPiece ? " stroke-dasharray=\"3 2\"" : "") : "")
  }

  static let letterSize = 11.0
  static let numberSize = 10.5
  private static let lineHeight = 13.0

  /// The width that a box needs to hold these lines.
  static func room(_ lines: [String]) -> Double {
    lines.reduce(0) { max($0, 1.1 * textWidth($1, size: letterSize)) } + 5
  }

  /// Lines below each other about a point, on a white ground where the pattern would disturb.
  static func label(
    _ lines: [String], _ style: SpanStyle, centre: Double, middle: Double,
    on canvas: inout SVGCanvas
  ) {
    let height = Double(lines.count) * lineHeight
    if style.hasBusyPattern {
      let width = room(lines)
      canvas.rect(
        x: centre - width / 2, y: middle - height / 2 - 0.5, width: width, height: height + 1,
        "fill=\"#ffffff\" fill-opacity=\"0.86\" rx=\"3\"")
    }
    for (place, line) in lines.enumerated() {
      canvas.text(
        line, x: centre, y: middle - height / 2 + (Double(place) + 1) * lineHeight - 2.6,
        size: place == 0 ? letterSize : numberSize, fill: style.ink, anchor: .middle, isBold: true)
    }
  }

  /// Lines beside a box that is too narrow for them: to the right of `x`, or to the left.
  static func labelBeside(
    _ lines: [String], x: Double, anchor: SVGCanvas.Anchor, middle: Double,
    on canvas: inout SVGCanvas
  ) {
    let height = Double(lines.count) * lineHeight
    for (place, line) in lines.enumerated() {
      canvas.text(
        line, x: x, y: middle - height / 2 + (Double(place) + 1) * lineHeight - 2.6,
        size: place == 0 ? letterSize : numberSize, anchor: anchor, isBold: place == 0)
    }
  }
}
