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
  public func json(_ timeline: Timeline) -> String {
    var text = ""
    write(timeline) { text += $0 }
    return text
  }

  /// Hands the trace over piece by piece, one event at a time. Spans whose times are not numbers are
  /// left out.
  public func write(_ timeline: Timeline, to sink: (String) throws -> Void) rethrows {
    let timeline = timeline.drawable
    try sink("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")
    try sink(name("process_name", title, thread: nil))
    for (thread, lane) in ["layers", "GPU", "CPU", "link"].enumerated() {
      try sink(",\n" + name("thread_name", lane, thread: thread))
      try sink(
        ",\n{\"name\":\"thread_sort_index\",\"ph\":\"M\",\"pid\":1,\"tid\":\(thread),"
          + "\"args\":{\"sort_index\":\(thread)}}")
    }
    let marks = timeline.layerMarks
    for (place, mark) in marks.enumerated() {
      let end = place + 1 < marks.count ? marks[place + 1].start : timeline.end
      try sink(
        ",\n" + event("layer \(mark.layer)", "layer", thread: 0, from: mark.start, to: end)
          + "{\"step\":\(mark.step)}}")
    }
    for span in timeline.spans { try sink(",\n" + event(span)) }
    try sink("\n]}\n")
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
    "{\"name\":\"\(name)\",\"cat\":\"\(category)\",\"ph\":\"X\",\"pid\":1,\"tid\":\(thread),"
      + "\"ts\":\(decimal(start, 3)),\"dur\":\(decimal(end - start, 3)),\"args\":"
  }

  private func name(_ kind: String, _ name: String, thread: Int?) -> String {
    "{\"name\":\"\(kind)\",\"ph\":\"M\",\"pid\":1,"
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
