import Experts

/// A picture of what the lanes did: one row for each lane, time from left to right.
///
/// Up to about 70 layer runs are drawn piece by piece, in bands of about seven layers. A longer run
/// gets an overview of the whole, in which each column shows how a lane spent its time, and below it
/// one step piece by piece.
public struct TimelinePicture: Sendable {
  /// Layer runs that are drawn piece by piece at most.
  public static let detailedLayers = 70

  public var title: String
  /// A second, quieter line, such as machine and setting.
  public var subtitle: String
  /// The step to show piece by piece; `nil`: all, or a step from the middle of a long run.
  public var step: Int?

  public init(title: String, subtitle: String = "", step: Int? = nil) {
    self.title = title
    self.subtitle = subtitle
    self.step = step
  }

  static let width = 1240.0
  static let left = 108.0
  static let right = 28.0
  static var plotWidth: Double { width - left - right }

  /// The picture as SVG text; the same timeline gives the same text.
  public func svg(_ timeline: Timeline) -> String {
    let timeline = timeline.drawable
    let marks = timeline.layerMarks
    var canvas = SVGCanvas()
    var y = 34.0
    canvas.text(
      cut(title, to: Self.width - 60, size: 18), x: 28, y: y, size: 18, isBold: true)
    if !subtitle.isEmpty {
      y += 20
      canvas.text(
        cut(subtitle, to: Self.width - 60, size: 12.5), x: 28, y: y, size: 12.5, fill: Ink.quiet)
    }
    let kinds = Timeline.Kind.allCases.filter { kind in
      timeline.spans.contains { $0.kind == kind }
    }
    y = Legend.draw(kinds, on: &canvas, from: y + 16)
    let all = timeline.extent
    let window = window(timeline, marks, all)
    if all.isEmpty {
      canvas.text("Nothing was recorded.", x: 28, y: y + 30, size: 14, fill: Ink.quiet)
      y += 50
    } else {
      if window != all { y = TimelineOverview(timeline, window: window).draw(on: &canvas, from: y) }
      y = TimelineDetail(timeline, marks: marks, window: window).draw(on: &canvas, from: y)
    }
    return canvas.document(
      width: Self.width, height: y + 16, title: title,
      definitions: SpanStyle.definitions(kinds))
  }

  /// What is drawn piece by piece.
  private func window(
    _ timeline: Timeline, _ marks: [LayerMark], _ all: Range<Double>
  ) -> Range<Double> {
    if step == nil, marks.count <= Self.detailedLayers { return all }
    let decode = timeline.spans.contains { $0.phase == .decode }
    var steps: Set<Int> = []
    for span in timeline.spans where !decode || span.phase == .decode { steps.insert(span.step) }
    let sorted = steps.sorted()
    let wanted = step.flatMap { wanted in marks.contains { $0.step == wanted } ? wanted : nil }
    let shown = wanted ?? (sorted.isEmpty ? 0 : sorted[sorted.count / 2])
    let layers = marks.filter { $0.step == shown }
    guard let first = layers.first else { return all }
    var end = first.start
    let last = layers.prefix(Self.detailedLayers).last?.layer
    for span in timeline.spans where span.step == shown && span.lane != .link {
      if layers.count <= Self.detailedLayers || span.layer ?? .max <= last ?? .max {
        end = max(end, span.end)
      }
    }
    return end > first.start ? first.start..<end : all
  }
}

/// The key of the picture: only what occurs in it.
enum Legend {
  static func draw(_ kinds: [Timeline.Kind], on canvas: inout SVGCanvas, from top: Double) -> Double
  {
    var x = 28.0
    var y = top
    for kind in kinds {
      let style = SpanStyle.of(kind)
      let width = 30 + 8 + textWidth(style.label, size: 12) + 14
      if x + width > TimelinePicture.width - 20 {
        x = 28
        y += 26
      }
      canvas.rect(
        x: x, y: y, width: 30, height: 18, SpanBox.attributes(kind))
      SpanBox.letter(style.letter, style, centre: x + 15, y: y + 13, size: 11, on: &canvas)
      canvas.text(style.label, x: x + 37, y: y + 13.5, size: 12)
      x += width
    }
    return y + (kinds.isEmpty ? 0 : 34)
  }
}

/// One span's rectangle and what is written in it.
enum SpanBox {
  static func attributes(_ kind: Timeline.Kind, outline: Bool = true) -> String {
    "fill=\"url(#\(SpanStyle.identifier(kind)))\""
      + (outline
        ? " stroke=\"#1b1f24\" stroke-opacity=\"0.55\" stroke-width=\"0.8\" rx=\"1.5\""
          + (kind == .cancelledPiece ? " stroke-dasharray=\"3 2\"" : "") : "")
  }

  static func letter(
    _ text: String, _ style: SpanStyle, centre: Double, y: Double, size: Double,
    on canvas: inout SVGCanvas
  ) {
    if style.hasBusyPattern {
      let width = textWidth(text, size: size) + 4
      canvas.rect(
        x: centre - width / 2, y: y - size + 0.5, width: width, height: size + 2,
        "fill=\"#ffffff\" fill-opacity=\"0.88\" rx=\"2\"")
    }
    canvas.text(
      text, x: centre, y: y, size: size, fill: style.ink, anchor: .middle, isBold: true)
  }
}
