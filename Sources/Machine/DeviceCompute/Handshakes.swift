import Devices

/// What it costs to start a kernel that does next to nothing.
public struct LaunchCost: Sendable, Equatable {
  /// The host's time for submitting one.
  public var submitMicroseconds: Double
  /// The device's time for each of many in a row.
  public var runMicroseconds: Double
}

extension LinkMeter {
  /// Launches a small kernel again and again.
  /// - Throws: `DeviceError`.
  public func launchCost(count wanted: Int = 200) throws -> LaunchCost {
    let count = max(1, min(wanted, device.properties.pendingOperationLimit / 2))
    let memory = try device.allocatePinned(byteCount: 4, purpose: "measuring launches")
    let start = try device.makeEvent()
    let end = try device.makeEvent()
    var best = LaunchCost(submitMicroseconds: .infinity, runMicroseconds: .infinity)
    // The first round also wakes the device.
    for _ in 0..<3 {
      try stream.record(start)
      let before = device.clock.now
      for number in 0..<count {
        try operations.publish(UInt32(number), to: memory.word(at: 0), on: stream)
      }
      let submitted = device.clock.now - before
      try stream.record(end)
      let ran = try elapsed(start, end)
      best.submitMicroseconds = min(best.submitMicroseconds, submitted / Double(count))
      best.runMicroseconds = min(best.runMicroseconds, ran / Double(count))
    }
    return best
  }

  /// Microseconds from a word that the device writes to the next one that it writes after the host's answer.
  ///
  /// Where streams wait for words, all is submitted before; where not, each answer is a launch.
  /// - Throws: `DeviceError`. The stream is left empty.
  public func handshakeMicroseconds(count wanted: Int = 200) throws -> Double {
    let count = max(2, min(wanted, device.properties.pendingOperationLimit / 4))
    let memory = try device.allocatePinned(byteCount: 256, purpose: "measuring handshakes")
    // Apart, as two sides write them.
    let (said, answered) = (memory.word(at: 0), memory.word(at: 128))
    var best = Double.infinity
    for round in 0..<3 {
      let first = UInt32(round * count)
      device.write(first, to: answered)
      device.write(first, to: said)
      best = min(best, try handshakes(count, after: first, said, answered))
    }
    return best
  }

  private func handshakes(
    _ count: Int, after first: UInt32, _ said: PinnedWord, _ answered: PinnedWord
  ) throws -> Double {
    let waits = device.properties.waitsForMemory
    // Whatever happens, the stream ends before the words go.
    defer {
      device.write(first + UInt32(count), to: answered)
      try? stream.synchronize()
    }
    if waits {
      for number in 1...UInt32(count) {
        try operations.publish(first + number, to: said, on: stream)
        try stream.wait(for: answered, atLeast: first + number)
      }
    }
    var start = 0.0
    for number in 1...UInt32(count) {
      if !waits { try operations.publish(first + number, to: said, on: stream) }
      try device.wait(for: said, atLeast: first + number) {}
      if number == 1 { start = device.clock.now }
      device.write(first + number, to: answered)
    }
    let end = device.clock.now
    return (end - start) / Double(count - 1)
  }
}
