import Devices

/// The modelled clock: when operations run, and where the host is.
///
/// What could start first runs first, and only when the host's time has come so far: what the host submits from now on
/// cannot start earlier. So the order, and with it every time, follows from the host's calls alone.
struct ModelledTimes {
  enum Engine: Int { case upload, download, compute }

  let model: EmulatedTimes
  /// The host's.
  private(set) var now = 0.0
  private var engineTimes = [0.0, 0.0, 0.0]
  private(set) var words = WordTimes()
  /// Ends of operations that the host has not come to yet.
  private var ends: [Double] = []

  init(_ model: EmulatedTimes) { self.model = model }

  mutating func advance(to time: Double) {
    guard time > now else { return }
    now = time
    ends.removeAll { $0 <= time }
  }

  mutating func hostWrote(_ value: UInt32, to word: PinnedWord) {
    words.wrote(
      value, to: word.deviceAddress, streams: now + model.signalMicroseconds, host: now)
  }

  // MARK: - Which operation is next

  /// When a stream's first operation could start, were its engine free; nil while it waits.
  private func readyTime(_ lane: Lane) -> Double? {
    guard !lane.isRunning, let head = lane.head else { return nil }
    let start = max(lane.endTime, head.time)
    switch head.operation {
    case .waitForEvent(let recording): return recording.isDone ? max(start, recording.time) : nil
    case .waitForWord(let word, let value):
      return words.time(of: word, atLeast: value, for: .streams).map { max(start, $0) }
    default: return start
    }
  }

  private func first(_ lanes: [Lane]) -> (lane: Lane, time: Double)? {
    // One operation at a time: what runs may let another start earlier than those that are ready.
    if lanes.contains(where: { $0.isRunning }) { return nil }
    var best: (lane: Lane, time: Double, number: Int)?
    for lane in lanes {
      guard let time = readyTime(lane), let number = lane.head?.number else { continue }
      if let best, (best.time, best.number) < (time, number) { continue }
      best = (lane, time, number)
    }
    return best.map { ($0.lane, $0.time) }
  }

  func nextLane(_ lanes: [Lane]) -> Lane? {
    guard let first = first(lanes), first.time <= now else { return nil }
    return first.lane
  }

  /// The next moment at which anything happens after the host's; nil where nothing will.
  func nextMoment(_ lanes: [Lane]) -> Double? {
    [first(lanes)?.time, ends.min()].compactMap { $0 }.min()
  }

  // MARK: - What running one takes

  mutating func ran(_ submission: Lane.Submission, of lane: Lane) {
    // `removeHead` has taken it; its stream stands as before.
    var start = max(lane.endTime, submission.time)
    var duration = submission.extraMicroseconds
    switch submission.operation {
    case .waitForEvent(let recording): start = max(start, recording.time)
    case .waitForWord(let word, let value):
      start = max(start, words.time(of: word, atLeast: value, for: .streams) ?? start)
    default: break
    }
    if let (engine, microseconds) = work(of: submission.operation) {
      start = max(start, engineTimes[engine.rawValue])
      duration += microseconds
      engineTimes[engine.rawValue] = start + duration
    }
    let end = start + duration
    lane.endTime = end
    if end > now { ends.append(end) }
    switch submission.operation {
    case .record(let recording):
      recording.time = end
      recording.isDone = true
    case .write(let value, let word): wrote(value, to: word.deviceAddress, at: end)
    case .launch(let launch) where launch.kernel.name == "publish":
      // gpu_publish_arguments: an address, a value.
      launch.arguments.withUnsafeBytes {
        wrote(
          $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
          to: $0.loadUnaligned(as: UInt64.self), at: end)
      }
    default: break
    }
  }

  // The host comes to it only when it sees the word.
  private mutating func wrote(_ value: UInt32, to address: UInt64, at end: Double) {
    let seen = end + model.signalMicroseconds
    words.wrote(value, to: address, streams: end, host: seen)
    if seen > now { ends.append(seen) }
  }

  private func work(of operation: Operation) -> (Engine, Double)? {
    switch operation {
    case .upload(let source, _): (.upload, copy(source.byteCount, model.uploadBytesPerMicrosecond))
    case .staged(let bytes, _): (.upload, copy(bytes.count, model.pageableBytesPerMicrosecond))
    case .download(_, let target):
      (.download, copy(target.byteCount, model.downloadBytesPerMicrosecond))
    case .copyOnDevice(_, _, let count), .clear(_, let count):
      (.compute, model.launchMicroseconds + Double(count) / model.deviceBytesPerMicrosecond)
    case .launch(let launch):
      (
        .compute,
        model.launchMicroseconds
          + launch.arguments.withUnsafeBytes {
            model.kernelMicroseconds(launch.kernel.name, launch.grid, launch.block, $0)
          }
      )
    case .record, .waitForEvent, .waitForWord, .write: nil
    }
  }

  private func copy(_ byteCount: Int, _ rate: Double) -> Double {
    model.copyLatencyMicroseconds + Double(byteCount) / rate
  }
}
