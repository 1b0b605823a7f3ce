/// Collects the elements of an SVG picture.
///
/// Coordinates have two decimals at most, so that the same picture is the same text everywhere.
struct SVGCanvas {
  enum Anchor: String { case start, middle, end }

  private(set) var body = ""

  mutating func raw(_ text: String) { body += text + "\n" }

  mutating func rect(
    x: Double, y: Double, width: Double, height: Double, _ attributes: String
  ) {
    raw(
      "<rect x=\"\(decimal(x))\" y=\"\(decimal(y))\" width=\"\(decimal(max(0, width)))\" "
        + "height=\"\(decimal(max(0, height)))\" \(attributes)/>")
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String
  ) {
    raw(
      "<line x1=\"\(decimal(x1))\" y1=\"\(decimal(y1))\" x2=\"\(decimal(x2))\" "
        + "y2=\"\(decimal(y2))\" \(attributes)/>")
  }

  mutating func text(
    _ text: String, x: Double, y: Double, size: Double = 12, fill: String = Ink.text,
    anchor: Anchor = .start, isBold: Bool = false
  ) {
    raw(
      "<text x=\"\(decimal(x))\" y=\"\(decimal(y))\" font-size=\"\(decimal(size))\" "
        + "fill=\"\(fill)\" text-anchor=\"\(anchor.rawValue)\""
        + (isBold ? " font-weight=\"600\"" : "") + ">\(escaped(text))</text>")
  }

  /// The whole picture on a white card, which stands on any background.
  func document(width: Double, height: Double, title: String, definitions: String = "") -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(decimal(width))" height="\(decimal(height))" \
    viewBox="0 0 \(decimal(width)) \(decimal(height))" role="img" \
    font-family="Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif">
    <title>\(escaped(title))</title>
    <defs>
    \(definitions)</defs>
    <rect x="0.5" y="0.5" width="\(decimal(width - 1))" height="\(decimal(height - 1))" rx="8" \
    fill="#ffffff" stroke="\(Ink.frame)"/>
    \(body)</svg>

    """
  }
}

/// Colours of what is not data.
enum Ink {
  static let text = "#1b1f24"
  static let quiet = "#57606a"
  static let frame = "#d0d7de"
  static let grid = "#e4e8ec"
  static let row = "#f6f8fa"
}
