import Devices
import Glibc
import Synchronization

/// Microseconds since the device was opened, by the host's clock.
public struct CUDAClock: DeviceClock {
  private let start: UInt64

  init() { start = CUDAClock.nanoseconds }

  public var now: Double { Double(CUDAClock.nanoseconds - start) * 1e-3 }

  /// Real time passes by itself.
  public func hostWorked(microseconds: Double) {}

  private static var nanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// Events whose time by the host's clock is known. The driver tells only how far two events are apart, and that as
/// F32 milliseconds: half a microsecond's resolution lasts for some four seconds, so that a new anchor is cast
/// when the last one is older.
final class EventAnchors: Sendable {
  /// An event and the host's time when it was reached.
  struct Anchor: Sendable {
    let event: DriverEvent
    let microseconds: Double
  }

  private static let lifetimeMicroseconds = 4e6
  /// How long an anchor's event is waited for. Its stream has nothing else to do; where it does not come, the old
  /// anchor serves on, only less exactly.
  static let patienceMicroseconds = 1e3

  private let context: CUDAContext
  private let clock: CUDAClock
  private let stream: UInt
  private let last = Mutex<Anchor?>(nil)

  init(_ context: CUDAContext, clock: CUDAClock) throws(DeviceError) {
    self.context = context
    self.clock = clock
    var stream: UInt = 0
    try context.call("making a stream for times") {
      $0.cuStreamCreate(&stream, DriverConstant.nonBlockingStream)
    }
    self.stream = stream
  }

  deinit { context.release { $0.cuStreamDestroy(stream) } }

  /// The anchor for events that are recorded from now on; nil where there was none and none came in time.
  func current(
    patienceMicroseconds: Double = EventAnchors.patienceMicroseconds
  ) throws(DeviceError) -> Anchor? {
    if let anchor = last.withLock({ $0 }),
      clock.now - anchor.microseconds < Self.lifetimeMicroseconds
    {
      return anchor
    }
    guard let anchor = try cast(patienceMicroseconds) else { return last.withLock { $0 } }
    last.withLock { $0 = anchor }
    return anchor
  }

  private func cast(_ patienceMicroseconds: Double) throws(DeviceError) -> Anchor? {
    let event = try DriverEvent(context)
    let before = clock.now
    try context.call("reading the device's clock") { $0.cuEventRecord(event.handle, stream) }
    while true {
      let code = try context.code { $0.cuEventQuery(event.handle) }
      let now = clock.now
      if code == DriverResult.success {
        return Anchor(event: event, microseconds: (before + now) / 2)
      }
      guard code == DriverResult.notReady else {
        throw context.error(code, "reading the device's clock")
      }
      guard now - before < patienceMicroseconds else { return nil }
    }
  }
}
