import Downloads

/// How far a download is, how fast it goes, and how long it still takes.
struct DownloadPace {
  /// The speed is that of the last seconds, so that it follows a network that changes.
  private static let window = Duration.seconds(10)

  private var name = ""
  private var fileCount = 0
  private var fileNumber = 0
  private var totalByteCount = 0
  private var finishedByteCount = 0
  private var currentByteCount = 0
  private var checked: (done: Int, whole: Int)?
  private var samples: [(time: ContinuousClock.Instant, byteCount: Int)] = []

  /// Says what the whole is.
  mutating func begin(_ files: [RemoteFile]) {
    fileCount = files.count
    totalByteCount = files.reduce(0) { $0 + $1.byteCount }
    name = files.first.map { TerminalText.safe($0.path, width: 60) } ?? ""
  }

  /// Takes in what happened; what is to be said of it in a line of its own.
  mutating func take(_ event: DownloadEvent, at now: ContinuousClock.Instant) -> String? {
    checked = nil
    switch event {
    case .began(let file, let present):
      fileNumber += 1
      name = TerminalText.safe(file.path, width: 60)
      currentByteCount = present
      samples = [(now, done)]
      return present > 0
        ? "\(name): going on after \(HumanUnits.bytes(present)) of \(HumanUnits.bytes(file.byteCount))."
        : nil
    case .checking(let count, of: let whole):
      checked = count < whole ? (count, whole) : nil
      return nil
    case .received(let count):
      currentByteCount = count
      // Pieces come by the thousand in a second.
      if samples.count > 1,
        samples[samples.count - 2].time.duration(to: now) < .milliseconds(100)
      {
        samples.removeLast()
      }
      samples.append((now, done))
      while samples.count > 2, samples[1].time.duration(to: now) >= Self.window {
        samples.removeFirst()
      }
      return nil
    case .interrupted(let reason, let seconds):
      let sentence = reason.prefix(1).uppercased() + reason.dropFirst()
      return "\(sentence); trying again in \(ProgressLine.remaining(Int64(seconds)))."
    case .restarted(let reason):
      currentByteCount = 0
      samples = []
      return "\(name): \(reason); starting again from the beginning."
    case .finished(let file, _, let wasThere):
      if wasThere { fileNumber += 1 }
      finishedByteCount += file.byteCount
      currentByteCount = 0
      let path = TerminalText.safe(file.path, width: 60)
      return wasThere
        ? "\(path) is there already, and its checksum is right."
        : "\(path): \(HumanUnits.bytes(file.byteCount)), and its checksum is right."
    }
  }

  private var done: Int { finishedByteCount + currentByteCount }

  /// Bytes in a second of late; nil where that is not known yet.
  private func bytesPerSecond(at now: ContinuousClock.Instant) -> Double? {
    guard let first = samples.first, let last = samples.last else { return nil }
    let elapsed = first.time.duration(to: now) / .seconds(1)
    guard elapsed > 0.5, last.byteCount > first.byteCount else { return nil }
    return Double(last.byteCount - first.byteCount) / elapsed
  }

  /// One line of at most `width` columns; nil where there is nothing to tell yet.
  func line(at now: ContinuousClock.Instant, width: Int) -> String? {
    guard totalByteCount > 0, done < totalByteCount else { return nil }
    if let checked {
      return "\(name): checking what is there, \(checked.done * 100 / max(1, checked.whole)) %"
    }
    let fraction = Double(done) / Double(totalByteCount)
    var figures =
      "\(Int(fraction * 100)) %, \(HumanUnits.bytes(done)) of \(HumanUnits.bytes(totalByteCount))"
    if fileCount > 1 { figures += ", file \(max(1, fileNumber)) of \(fileCount)" }
    if let speed = bytesPerSecond(at: now) {
      let seconds = Int64(min(1e9, Double(totalByteCount - done) / speed))
      figures +=
        ", \(HumanUnits.bytes(Int(speed)))/s, \(ProgressLine.remaining(seconds)) left"
    }
    let room = width - 1 - figures.count - 2
    guard room >= 12 else { return String(figures.prefix(max(1, width - 1))) }
    // The name goes before the bar gets short, and goes away before it is a stump.
    let nameWidth = min(name.count, 30)
    let isNamed = room - nameWidth - 2 >= 12
    let bar = Self.bar(
      fraction, columns: min(24, room - (isNamed ? nameWidth + 2 : 0) - 2))
    let label = isNamed ? TerminalText.shortened(name, nameWidth) + "  " : ""
    return "\(label)\(bar)  \(figures)"
  }

  private static func bar(_ fraction: Double, columns: Int) -> String {
    let full = Int(fraction * Double(columns))
    return "[" + String(repeating: "#", count: full)
      + String(repeating: ".", count: columns - full) + "]"
  }
}
