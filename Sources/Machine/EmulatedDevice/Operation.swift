import Devices

/// What a stream does, with all that it needs.
enum Operation {
  case upload(HostBytes, to: UInt64)
  /// Bytes that the driver staged.
  case staged([UInt8], to: UInt64)
  case download(UInt64, to: HostBytes)
  case copyOnDevice(UInt64, to: UInt64, byteCount: Int)
  case clear(UInt64, byteCount: Int)
  case launch(Launch)
  case record(Recording)
  case waitForEvent(Recording)
  case waitForWord(PinnedWord, atLeast: UInt32)
  case write(UInt32, to: PinnedWord)

  struct Launch {
    var kernel: DeviceKernel
    var grid: LaunchSize
    var block: LaunchSize
    var sharedByteCount: Int
    var arguments: [UInt8]
  }

  var kind: EmulatedOperation.Kind {
    switch self {
    case .upload, .staged: .upload
    case .download: .download
    case .copyOnDevice: .copyOnDevice
    case .clear: .clear
    case .launch: .launch
    case .record: .record
    case .waitForEvent: .waitForEvent
    case .waitForWord: .waitForWord
    case .write: .write
    }
  }

  /// What a copy uses of the host's memory.
  var hostBytes: HostBytes? {
    switch self {
    case .upload(let bytes, _), .download(_, let bytes): bytes
    default: nil
    }
  }

  var isCopy: Bool {
    switch self {
    case .upload, .staged, .download, .copyOnDevice: true
    default: false
    }
  }
}

/// Pinned memory that a copy reads or writes. As with a driver, the copy does not keep it: who gives it back too
/// early is told so.
struct HostBytes {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(_ span: PinnedSpan) { (base, byteCount) = (span.base, span.byteCount) }

  func overlaps(_ address: UInt64, byteCount count: Int) -> Bool {
    let begin = UInt64(UInt(bitPattern: base))
    return begin < address + UInt64(count) && address < begin + UInt64(byteCount)
  }
}

/// A recording of an event: a point in a stream that comes once.
// Safety: `Emulation` touches it under its lock only.
final class Recording: @unchecked Sendable {
  let event: Int
  let stream: String
  var isDone = false
  var time = 0.0

  init(event: Int, stream: String) {
    self.event = event
    self.stream = stream
  }
}

/// A stream's operations that have not run.
// Safety: `Emulation` touches it under its lock only.
final class Lane: @unchecked Sendable {
  struct Submission {
    var operation: Operation
    /// Among all of the device.
    var number: Int
    /// The host's time.
    var time: Double
    /// Other operations that have to run before.
    var heldBack = 0
    var extraMicroseconds = 0.0
    var losesDevice = false
    /// What a copy's source was when it was submitted, where that is checked.
    var source: [UInt8]?
  }

  let name: String
  private var submissions: [Submission] = []
  private var begin = 0
  /// What runs now.
  var running: Operation?
  var isRunning: Bool { running != nil }
  /// When its last operation ended, by the modelled clock.
  var endTime = 0.0
  /// Operations of each kind so far.
  var counts: [EmulatedOperation.Kind: Int] = [:]

  init(name: String) { self.name = name }

  var isEmpty: Bool { begin == submissions.count }
  /// All that was submitted is done.
  var isDone: Bool { isEmpty && !isRunning }
  var head: Submission? { isEmpty ? nil : submissions[begin] }

  /// Whether the host has still to say something before all is done; it may fill sources of copies until then.
  var waitsForWord: Bool {
    submissions[begin...].contains {
      if case .waitForWord = $0.operation { true } else { false }
    }
  }

  /// Whether a copy that has not ended uses some of the host's memory.
  func uses(_ address: UInt64, byteCount: Int) -> Bool {
    let operations = submissions[begin...].map(\.operation) + (running.map { [$0] } ?? [])
    return operations.contains {
      $0.hostBytes?.overlaps(address, byteCount: byteCount) == true
    }
  }

  func append(_ submission: Submission) { submissions.append(submission) }

  func removeHead() -> Submission {
    let head = submissions[begin]
    begin += 1
    if begin == submissions.count || begin > 512 { removeFirst(begin) }
    return head
  }

  func removeAll() { removeFirst(submissions.count) }

  // The last reference to pinned memory may go with an operation, and whoever gives it back looks through all
  // that is left here: so operations go when the list is in order again.
  private func removeFirst(_ count: Int) {
    let gone = submissions[..<count]
    submissions.removeFirst(count)
    begin = 0
    withExtendedLifetime(gone) {}
  }

  func ranAnother() {
    if !isEmpty, submissions[begin].heldBack > 0 { submissions[begin].heldBack -= 1 }
  }

  func next(of kind: EmulatedOperation.Kind) -> Int {
    let index = counts[kind, default: 0]
    counts[kind] = index + 1
    return index
  }
}
