import Experts

/// Joins the spans of a lane into what is drawn as one box.
struct SpanBoxes {
  struct Box {
    /// The first span.
    var span: Timeline.Span
    var end: Double
    /// Pieces of work in it; the pieces of one copy are one.
    var count = 1
  }

  private let scale: Double
  private(set) var boxes: [Box] = []

  /// - Parameter scale: units of the picture for a microsecond.
  init(scale: Double) { self.scale = scale }

  /// Adds the next span by start.
  mutating func add(_ span: Timeline.Span) {
    guard var box = boxes.last, box.span.kind == span.kind, span.start - box.end < 0.3 / scale
    else { return boxes.append(Box(span: span, end: span.end)) }
    let isSameCopy =
      span.lane == .link && box.count == 1 && box.span.expert == span.expert
      && box.span.layer == span.layer && span.start - box.end < 0.01
    let areNarrow =
      (span.end - span.start) * scale < 2 && (box.end - box.span.start) * scale < 40
      && (box.end - box.span.start) / Double(box.count) * scale < 2
    guard isSameCopy || areNarrow else {
      return boxes.append(Box(span: span, end: span.end))
    }
    box.end = max(box.end, span.end)
    if !isSameCopy { box.count += 1 }
    boxes[boxes.count - 1] = box
  }
}
