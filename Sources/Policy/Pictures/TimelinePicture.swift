import Experts

/// A picture of what the lanes did: one row for each lane, time from left to right.
///
/// A short run is drawn piece by piece, step after step. A longer one gets an overview of the
/// whole, in which each column shows how a lane spent its time, and below it the middle layers of
/// its longest prefill and one decode step, wide enough that most boxes carry their expert's
/// number.
public struct TimelinePicture: Sendable {
  /// Bands of a run that is drawn piece by piece as a whole, at most.
  static let detailedBands = 6

  public var title: String
  /// A second, quieter line, such as machine and setting.
  public var subtitle: String
  /// The step to show piece by piece; `nil`: all, or the most telling parts of a long run.
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

  /// The picture as SVG text; the same timelines give the same text.
  ///
  /// - Parameter predicted: what the plans of the same run had expected, by the same clock; it gets
  ///   rows of its own below those of what happened.
  public func svg(_ timeline: Timeline, predicted: Timeline? = nil) -> String {
    let timeline = timeline.drawable
    let groups =
      predicted.map { LaneGroup.pair(measured: timeline, predicted: $0.drawable) }
      ?? [LaneGroup(timeline)]
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
      groups.contains { $0.timeline.spans.contains { $0.kind == kind } }
    }
    y = Legend.draw(kinds, hasDensePart: timeline.hasDensePart, on: &canvas, from: y + 16)
    let all = timeline.extent
    let sections = TimelineSection.sections(timeline, wanted: step)
    if sections.isEmpty {
      canvas.text("Nothing was recorded.", x: 28, y: y + 30, size: 14, fill: Ink.quiet)
      y += 50
    }
    let shown = sections.reduce(0) { $0 + $1.window.upperBound - $1.window.lowerBound }
    let isWhole = shown > 0.9999 * (all.upperBound - all.lowerBound)
    if !isWhole, !sections.isEmpty {
      y = TimelineOverview(timeline, windows: sections.map(\.window)).draw(on: &canvas, from: y)
    }
    let marks = timeline.layerMarks
    for (place, section) in sections.enumerated() {
      let letter = isWhole ? nil : TimelineOverview.letter(place)
      y = TimelineDetail(groups, marks: marks, section: section, letter: letter)
        .draw(on: &canvas, from: y)
    }
    return canvas.document(
      width: Self.width, height: y + 16, title: title,
      definitions: SpanStyle.definitions(kinds))
  }
}

/// The key of the picture: only what occurs in it.
enum Legend {
  static func draw(
    _ kinds: [Timeline.Kind], hasDensePart: Bool, on canvas: inout SVGCanvas, from top: Double
  ) -> Double {
    guard !kinds.isEmpty else { return top }
    var x = 28.0
    var y = top
    func place(_ width: Double) {
      guard x + width > TimelinePicture.width - 20 else { return }
      x = 28
      y += 26
    }
    for kind in kinds {
      let style = SpanStyle.of(kind)
      let width = 30 + 7 + textWidth(style.label, size: 12) + 10
      place(width)
      canvas.rect(
        x: x, y: y, width: 30, height: 18, SpanBox.attributes(kind))
      SpanBox.label([style.letter], style, centre: x + 15, middle: y + 9, on: &canvas)
      canvas.text(style.label, x: x + 37, y: y + 13.5, size: 12)
      x += width
    }
    let note =
      hasDensePart
      ? "numbers: experts"
      : "numbers: experts; the dense part is not drawn: white is time without experts"
    place(textWidth(note, size: 12))
    canvas.text(note, x: x, y: y + 13.5, size: 12, fill: Ink.quiet)
    return y + 34
  }
}

extension Timeline {
  /// Whether attention and the like stand in it; a run of the engine records the experts alone.
  var hasDensePart: Bool { spans.contains { $0.kind == .dense } }
}
