import Experts

/// How a kind of span looks.
///
/// Told apart three ways: by colour (Okabe and Ito's palette, made for colour-blind eyes), by
/// pattern, and by a letter; so a picture survives colour blindness, a printer and a glance.
struct SpanStyle {
  let letter: String
  /// In the key.
  let label: String
  /// Where there is room to explain.
  let story: String
  let fill: String
  let edge: String
  let ink: String
  /// Drawn over `fill` in a tile of 8 × 8.
  let pattern: String
  /// Whether letters need a white ground to be read on the pattern.
  let hasBusyPattern: Bool

  private init(
    _ letter: String, _ label: String, _ story: String? = nil, fill: String, edge: String,
    ink: String = Ink.text, pattern: String = ""
  ) {
    self.letter = letter
    self.label = label
    self.story = story ?? label
    self.fill = fill
    self.edge = edge
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
      SpanStyle("D", "dense", "dense (attention, norms)", fill: "#e3e7ec", edge: "#8c959f")
    case .shared:
      SpanStyle(
        "S", "shared expert", fill: "#c3cad3", edge: "#6e7781",
        pattern: "<circle cx=\"2\" cy=\"2\" r=\"1\" fill=\"#8c959f\"/>"
          + "<circle cx=\"6\" cy=\"6\" r=\"1\" fill=\"#8c959f\"/>")
    case .hit:
      SpanStyle(
        "H", "hit", "hit (resident, on GPU)", fill: "#0072b2", edge: "#004b75", ink: "#ffffff")
    case .missOnCPU:
      SpanStyle(
        "M", "miss on CPU", fill: "#fbd27a", edge: "#9a6500",
        pattern: strokes("M-2 2L2 -2M0 8L8 0M6 10L10 6", "#e3a63a"))
    case .missOnGPU:
      SpanStyle(
        "G", "miss on GPU", "miss on GPU, after its copy", fill: "#c4e5f8", edge: "#0072b2",
        pattern: strokes("M-2 6L2 10M0 0L8 8M6 -2L10 2", "#3a9bd9"))
    case .stolen:
      SpanStyle(
        "R", "hit on CPU", "resident taken by the CPU", fill: "#f7f0a0", edge: "#7a7000",
        pattern: "<circle cx=\"4\" cy=\"4\" r=\"1.6\" fill=\"#3a9bd9\"/>")
    case .onDemandCopy:
      SpanStyle(
        "C", "copy on demand", "copy that a plan waits for", fill: "#f5b48d", edge: "#a33f00",
        pattern: strokes("M0 2H8M0 6H8", "#e58a52", width: 1.4))
    case .prefetchCopy:
      SpanStyle(
        "P", "prefetch", fill: "#a8dfcd", edge: "#00684c",
        pattern: strokes("M2 0V8M6 0V8", "#6cc0a5", width: 1.4))
    case .fillCopy:
      SpanStyle(
        "F", "fill for later steps", fill: "#f0cde0", edge: "#9c4577",
        pattern: strokes("M0 4H8M4 0V8", "#d592b8", width: 1.2))
    case .cancelledPiece:
      SpanStyle(
        "X", "given up", "given up (moved for nothing)", fill: "#ffffff", edge: "#57606a",
        pattern: strokes("M0 0L8 8M8 0L0 8", "#b0b7bf", width: 1.2))
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
