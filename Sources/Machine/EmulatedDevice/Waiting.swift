import Devices

extension Emulation {
  /// Returns when something has come, with the lock held before, after and while it is asked for.
  /// - Parameter idle: what the host does meanwhile, without the lock.
  /// - Throws: `DeviceError.lost`; `.refused` where the device cannot go on; what `idle` throws.
  func hostWaits(
    for what: () -> String, idle: () throws -> Void = {}, until hasCome: () -> Bool
  ) throws {
    waitingHosts += 1
    defer { waitingHosts -= 1 }
    monitor.changed()
    while true {
      settle()
      if let lost { throw lost }
      if hasCome() { return }
      let before = submitted
      do {
        monitor.unlock()
        defer { monitor.lock() }
        try idle()
      }
      if submitted != before { continue }
      if let lost { throw lost }
      if hasCome() { return }
      if try !goOn(for: what) { monitor.wait() }
    }
  }

  /// Lets time or work move on.
  /// - Returns: whether it did; false where somebody else has to.
  private func goOn(for what: () -> String) throws(DeviceError) -> Bool {
    if times == nil {
      if worksInCalls, let lane = nextLane() {
        run(lane)
        return true
      }
      if running > 0 || canGoOn { return false }
    } else {
      if running > 0 || times!.nextLane(lanes) != nil { return worksInCalls }
      if let moment = times!.nextMoment(lanes) {
        times!.advance(to: moment)
        monitor.changed()
        return true
      }
    }
    stuckHosts += 1
    defer { stuckHosts -= 1 }
    // Where other threads of the host may still do something, they are given some time.
    let before = submitted
    if stuckHosts < configuration.hostThreadCount,
      monitor.wait(seconds: configuration.patienceSeconds) || submitted != before
    {
      return true
    }
    throw .refused(operation: "waiting for \(what())", reason: "nothing can go on: \(standstill)")
  }

  /// Whether some stream's first operation can run.
  private var canGoOn: Bool {
    lanes.contains { lane in
      guard !lane.isRunning, let head = lane.head else { return false }
      return isReady(head)
    }
  }

  /// Modelled time: returns when all that can have started by now is done.
  func settle() {
    guard times != nil else { return }
    while lost == nil {
      if worksInCalls {
        guard let lane = nextLane() else { return }
        run(lane)
      } else {
        guard running > 0 || times!.nextLane(lanes) != nil else { return }
        monitor.wait()
      }
    }
  }

  /// What each stream waits for.
  private var standstill: String {
    let waiting = lanes.compactMap { lane -> String? in
      guard let head = lane.head else { return nil }
      let name = "stream \"\(lane.name)\" waits for "
      switch head.operation {
      case .waitForEvent(let recording):
        return name + "event \(recording.event) of stream \"\(recording.stream)\""
      case .waitForWord(let word, let value):
        return name + describe(word) + " to be \(value) (it is \(Words.load(word)))"
      default: return nil
      }
    }
    return waiting.isEmpty ? "all streams are empty" : waiting.joined(separator: "; ")
  }

  func describe(_ word: PinnedWord) -> String {
    let purpose = pinnedPurposes[word.memory.deviceAddress] ?? "pinned memory"
    return "the word at byte \(word.offset) of \(purpose)"
  }
}
