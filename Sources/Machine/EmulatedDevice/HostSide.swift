import Devices

/// What the host asks and waits for.
extension Emulation {
  private func isDone(_ recording: Recording) -> Bool {
    recording.isDone && recording.time <= times?.now ?? .infinity
  }

  func hasCome(_ recording: Recording) throws(DeviceError) -> Bool {
    try locked { () throws(DeviceError) in
      settle()
      hostCalled()
      if let lost { throw lost }
      if isDone(recording) { return true }
      // Asking takes time, so that a host which asks again and again comes to an end.
      if times != nil { times!.advance(to: times!.now + times!.model.pollMicroseconds) }
      monitor.changed()
      return false
    }
  }

  func wait(for recording: Recording) throws(DeviceError) {
    try locked { () throws(DeviceError) in
      if isIgnored(.hostWaitForEvent) { return }
      try waitForDevice({ "event \(recording.event) of stream \"\(recording.stream)\"" }) {
        isDone(recording)
      }
    }
  }

  func time(of recording: Recording) throws(DeviceError) -> Double? {
    try locked { () throws(DeviceError) in
      settle()
      return isDone(recording) ? recording.time : nil
    }
  }

  func synchronize(_ some: [Lane]?) throws(DeviceError) {
    try locked { () throws(DeviceError) in
      if isIgnored(.hostSynchronize) { return }
      let awaited = some ?? lanes
      try waitForDevice({ some.map { "stream \"\($0[0].name)\"" } ?? "all streams" }) {
        awaited.allSatisfy { $0.isDone && $0.endTime <= times?.now ?? .infinity }
      }
      if some == nil, let wrong = heap.wrongWrites() {
        lose(wrong)
        throw lost!
      }
    }
  }

  func wait(
    for word: PinnedWord, atLeast value: UInt32, idle: () throws -> Void
  ) throws {
    monitor.lock()
    defer { monitor.unlock() }
    if isIgnored(.hostWaitForWord) { return }
    try hostWaits(for: { describe(word) + " to be \(value)" }, idle: idle) {
      guard let times else { return Words.has(Words.load(word), reached: value) }
      return times.words.time(of: word, atLeast: value, for: .host).map { $0 <= times.now }
        ?? false
    }
  }

  func write(_ value: UInt32, to word: PinnedWord) {
    monitor.lock()
    defer { monitor.unlock() }
    Words.store(value, to: word)
    if times != nil { times!.hostWrote(value, to: word) }
    submitted += 1
    monitor.changed()
    hostCalled()
  }

  /// Waits for what nothing but the device brings.
  private func waitForDevice(
    _ what: () -> String, until hasCome: () -> Bool
  ) throws(DeviceError) {
    do {
      try hostWaits(for: what, until: hasCome)
    } catch let error as DeviceError {
      throw error
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
