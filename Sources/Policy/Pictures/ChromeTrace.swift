import Experts

/// A timeline as a trace that Chrome (`chrome://tracing`) and Perfetto (ui.perfetto.dev) open.
///
/// The format is Google's *Trace Event Format*: complete events (`ph` `X`) with microseconds, one
/// thread for each lane, and one more that shows the layers.
public struct ChromeTrace: Sendable {
  /// Shown as the process's name.
  public var title: String

  public init(title: String) { self.title = title }

  /// The whole trace as text; a long run is better written piece by piece.
  public func json(_ timeline: Timeline, predicted: Timeline? = nil) -> String {
    var text = ""
    write(timeline, predicted: predicted) { text += $0 }
    return text
  }

  /// Hands the trace over piece by piece, one event at a time. Spans whose times are not numbers
  /// are left out.
  ///
  /// - Parameter predicted: what the plans of the same run had expected, by the same clock: a
  ///   process of its own.
  public func write(
    _ timeline: Timeline, predicted: Timeline? = nil, to sink: (String) throws -> Void
  ) rethrows {
    try sink("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")
    let title = predicted == nil ? title : title + ", measured"
    try ChromeProcess(number: 1, name: title, timeline.drawable).write(to: sink)
    if let predicted {
      try sink(",\n")
      try ChromeProcess(number: 2, name: self.title + ", predicted", predicted.drawable)
        .write(to: sink)
    }
    try sink("\n]}\n")
  }
}

/// One timeline of a trace.
private struct ChromeProcess {
  let number: Int
  let name: String
  let timeline: Timeline

  init(number: Int, name: String, _ timeline: Timeline) {
    self.number = number
    self.name = name
    self.timeline = timeline
  }

  func write(to sink: (String) throws -> Void) rethrows {
    try sink(naming("process_name", name, thread: nil))
    for (thread, lane) in ["layers", "GPU", "CPU", "link"].enumerated() {
      try sink(",\n" + naming("thread_name", lane, thread: thread))
      try sink(
        ",\n{\"name\":\"thread_sort_index\",\"ph\":\"M\",\"pid\":\(number),"
          + "\"tid\":\(thread),\"args\":{\"sort_index\":\(thread)}}")
    }
    let marks = timeline.layerMarks
    for (place, mark) in marks.enumerated() {
      let end = place + 1 < marks.count ? marks[place + 1].start : timeline.end
      try sink(
        ",\n" + event("layer \(mark.layer)", "layer", thread: 0, from: mark.start, to: end)
          + "{\"step\":\(mark.step)}}")
    }
    for span in timeline.spans { try sink(",\n" + event(span)) }
  }

  private func event(_ span: Timeline.Span) -> String {
    let thread =
      switch span.lane {
      case .gpu: 1
      case .cpu: 2
      case .link: 3
      }
    let name = span.kind.rawValue + (span.expert.map { " \($0)" } ?? "")
    var arguments = "{\"step\":\(span.step),\"phase\":\"\(span.phase.rawValue)\""
    if let layer = span.layer { arguments += ",\"layer\":\(layer)" }
    if let expert = span.expert { arguments += ",\"expert\":\(expert)" }
    return event(name, span.kind.rawValue, thread: thread, from: span.start, to: span.end)
      + arguments + "}}"
  }

  private func event(
    _ name: String, _ category: String, thread: Int, from start: Double, to end: Double
  ) -> String {
    "{\"name\":\"\(name)\",\"cat\":\"\(category)\",\"ph\":\"X\",\"pid\":\(number),"
      + "\"tid\":\(thread),\"ts\":\(decimal(start, 3)),\"dur\":\(decimal(end - start, 3)),"
      + "\"args\":"
  }

  private func naming(_ kind: String, _ name: String, thread: Int?) -> String {
    "{\"name\":\"\(kind)\",\"ph\":\"M\",\"pid\":\(number),"
      + (thread.map { "\"tid\":\($0)," } ?? "") + "\"args\":{\"name\":\"\(quoted(name))\"}}"
  }

  private func quoted(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\u{0}"..."\u{1F}": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
