import Experts

/// How a kind of span looks.
///
/// Told apart three ways: by colour (Okabe and Ito's palette, made for colour-blind eyes), by
/// pattern, and by a letter; so a picture survives colour blindness, a printer and a glance.
struct SpanStyle {
  let letter: String
  let label: String
  let fill: String
  let ink: String
  /// Drawn over `fill` in a tile of 8 × 8.
  let pattern: String
  /// Whether letters need a white ground to be read on the pattern.
  let hasBusyPattern: Bool

  private init(
    _ letter: String, _ label: String, fill: String, ink: String = Ink.text, pattern: String = ""
  ) {
    self.letter = letter
    self.label = label
    self.fill = fill
    self.ink = ink
    self.pattern = pattern
    hasBusyPattern = !pattern.isEmpty
  }

  private static func strokes(_ path: String, _ color: String, width: Double = 1.6) -> String {
    "<path d=\"\(path)\" stroke=\"\(color)\" stroke-width=\"\(decimal(width))\" fill=\"none\"/>"
  }

  static func of(_ kind: Timeline.Kind) -> SpanStyle {
    switch kind {
    case .dense:
      SpanStyle("D", "dense (attention, norms)", fill: "#dfe3e8", ink: Ink.quiet)
    case .shared:
      SpanStyle(
        "S", "shared expert", fill: "#b4bcc6",
        pattern: "<circle cx=\"2\" cy=\"2\" r=\"1.1\" fill=\"#57606a\"/>"
          + "<circle cx=\"6\" cy=\"6\" r=\"1.1\" fill=\"#57606a\"/>")
    case .hit:
      SpanStyle("H", "hit (resident, on GPU)", fill: "#0072b2", ink: "#ffffff")
    case .missOnCPU:
      SpanStyle(
        "M", "miss on CPU", fill: "#f4b942",
        pattern: strokes("M-2 2L2 -2M0 8L8 0M6 10L10 6", "#a86a00"))
    case .missOnGPU:
      SpanStyle(
        "G", "miss on GPU, after its copy", fill: "#9fd4f3",
        pattern: strokes("M-2 6L2 10M0 0L8 8M6 -2L10 2", "#0072b2"))
    case .stolen:
      SpanStyle(
        "R", "resident taken by the CPU", fill: "#f7ef8a",
        pattern: "<circle cx=\"4\" cy=\"4\" r=\"1.8\" fill=\"#0072b2\"/>")
    case .onDemandCopy:
      SpanStyle(
        "C", "copy that a plan waits for", fill: "#e98b52",
        pattern: strokes("M0 2H8M0 6H8", "#a33f00"))
    case .prefetchCopy:
      SpanStyle(
        "P", "prefetch", fill: "#7fcfb6",
        pattern: strokes("M2 0V8M6 0V8", "#00684c"))
    case .fillCopy:
      SpanStyle(
        "F", "fill", fill: "#e6b3cf",
        pattern: strokes("M0 4H8M4 0V8", "#9c4577", width: 1.2))
    case .cancelledPiece:
      SpanStyle(
        "X", "given up (moved for nothing)", fill: "#ffffff",
        pattern: strokes("M0 0L8 8M8 0L0 8", "#8c959f", width: 1.2))
    }
  }

  static func identifier(_ kind: Timeline.Kind) -> String { "span-" + kind.rawValue }

  /// The patterns of these kinds.
  static func definitions(_ kinds: [Timeline.Kind]) -> String {
    var result = ""
    for kind in kinds {
      let style = of(kind)
      result +=
        "<pattern id=\"\(identifier(kind))\" width=\"8\" height=\"8\" "
        + "patternUnits=\"userSpaceOnUse\"><rect width=\"8\" height=\"8\" "
        + "fill=\"\(style.fill)\"/>\(style.pattern)</pattern>\n"
    }
    return result
  }
}
