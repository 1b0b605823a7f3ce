import Experts

/// Draws a lane's boxes within a band, and their names in them or beside them.
struct LaneBoxes {
  private struct Placed {
    let box: SpanBoxes.Box
    let x: Double
    let width: Double
    var right: Double { x + width }
  }

  private let placed: [Placed]
  private let origin: Double
  private let right: Double

  /// - Parameters:
  ///   - origin: where the axis begins to count.
  ///   - scale: units of the picture for a microsecond.
  init(_ spans: [Timeline.Span], band: Range<Double>, origin: Double, scale: Double) {
    var boxes = SpanBoxes(scale: scale)
    for span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) { boxes.add(span) }
    placed = boxes.boxes.map { box in
      let start = max(box.span.start, band.lowerBound)
      return Placed(
        box: box, x: TimelinePicture.left + (start - band.lowerBound) * scale,
        width: max(0.6, (min(box.end, band.upperBound) - start) * scale))
    }
    self.origin = origin
    right = TimelinePicture.left + (band.upperBound - band.lowerBound) * scale
  }

  func draw(on canvas: inout SVGCanvas, y: Double, height: Double) {
    let middle = y + height / 2
    // Up to here the lane is taken by boxes and names.
    var taken = TimelinePicture.left
    var place = 0
    while place < placed.count {
      let first = placed[place]
      if let lines = inside(first) {
        drawBox(first, on: &canvas, y: y, height: height, lines: lines)
        taken = first.right
        place += 1
        continue
      }
      var end = place + 1
      while end < placed.count, follows(placed[end], placed[end - 1]) { end += 1 }
      let run = placed[place..<end]
      let last = placed[end - 1].right
      let after = beside(run, room: (end < placed.count ? placed[end].x : right) - last - 4)
      let before = after == nil ? beside(run, room: first.x - taken - 6) : nil
      for item in run {
        let letter = SpanStyle.of(item.box.span.kind).letter
        let fits = after == nil && before == nil && item.width >= 12
        drawBox(item, on: &canvas, y: y, height: height, lines: fits ? [letter] : [])
      }
      taken = last
      if let after {
        SpanBox.labelBeside(after, x: last + 3, anchor: .start, middle: middle, on: &canvas)
        taken += 3 + SpanBox.room(after)
      } else if let before {
        SpanBox.labelBeside(before, x: first.x - 3, anchor: .end, middle: middle, on: &canvas)
      }
      place = end
    }
  }

  /// Whether a box continues a run of narrow boxes of one kind.
  private func follows(_ next: Placed, _ last: Placed) -> Bool {
    next.box.span.kind == last.box.span.kind && next.x - last.right < 1.5 && inside(next) == nil
  }

  /// What is written in a box: its letter, the layer that a prefetch is for, and the expert.
  private func inside(_ item: Placed) -> [String]? {
    let span = item.box.span
    let letter = SpanStyle.of(span.kind).letter
    let second =
      item.box.count > 1 ? "×\(item.box.count)" : span.expert.map { "\($0)" }
    var choices: [[String]] = []
    if span.kind == .prefetchCopy, item.box.count == 1, let layer = span.layer, let second {
      choices.append(["\(letter) layer \(layer)", second])
    }
    choices.append([letter, second].compactMap { $0 })
    return choices.first { SpanBox.room($0) + 1 <= item.width }
  }

  /// What is written beside a run of narrow boxes, if there is room.
  private func beside(_ run: ArraySlice<Placed>, room: Double) -> [String]? {
    guard let first = run.first, first.box.span.expert != nil else { return nil }
    let letter = SpanStyle.of(first.box.span.kind).letter
    let count = run.reduce(0) { $0 + $1.box.count }
    var choices: [[String]] = []
    if count == run.count {
      choices.append([letter, run.compactMap { $0.box.span.expert.map(String.init) }.joined(" ")])
    }
    if count > 1 { choices.append([letter, "×\(count)"]) }
    return choices.first { lines in
      lines.allSatisfy { textWidth($0, size: SpanBox.letterSize) + 2 <= room }
    }
  }

  private func drawBox(
    _ item: Placed, on canvas: inout SVGCanvas, y: Double, height: Double, lines: [String]
  ) {
    let style = SpanStyle.of(item.box.span.kind)
    // A gap keeps boxes of one kind apart.
    let gap = min(1.4, item.width * 0.25)
    canvas.raw("<g><title>\(escaped(story(item.box)))</title>")
    canvas.rect(
      x: item.x + gap / 2, y: y + 2, width: item.width - gap, height: height - 4,
      item.width < 3 && item.box.count == 1
        ? "fill=\"\(style.edge)\"" : SpanBox.attributes(item.box.span.kind))
    if !lines.isEmpty {
      SpanBox.label(
        lines, style, centre: item.x + item.width / 2, middle: y + height / 2, on: &canvas)
    }
    canvas.raw("</g>")
  }

  private func story(_ box: SpanBoxes.Box) -> String {
    let span = box.span
    let style = SpanStyle.of(span.kind)
    var text = box.count > 1 ? "\(box.count) × \(style.story)" : style.story
    if box.count == 1, let expert = span.expert { text += ", expert \(expert)" }
    if let layer = span.layer { text += ", layer \(layer)" }
    text += ", step \(span.step) (\(span.phase.rawValue)): \(decimal(span.start - origin, 1)) to "
    return text + "\(decimal(box.end - origin, 1)) µs, \(duration(box.end - span.start))"
  }
}

extension [String] {
  fileprivate func joined(_ separator: String) -> String {
    var text = ""
    for (place, part) in enumerated() { text += (place > 0 ? separator : "") + part }
    return text
  }
}
