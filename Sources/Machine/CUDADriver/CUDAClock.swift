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
  final class Anchor: Sendable {
    let event: UInt
    let microseconds: Double
    private let context: CUDAContext

    init(event: UInt, microseconds: Double, context: CUDAContext) {
      self.event = event
      self.microseconds = microseconds
      self.context = context
    }

    deinit { context.release { $0.cuEventDestroy(event) } }
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
    var event: UInt = 0
    try context.call("making an event") { $0.cuEventCreate(&event, 0) }
    let before = clock.now
    let anchor = { [context, event] after in
      Anchor(event: event, microseconds: (before + after) / 2, context: context)
    }
    var code = try context.code { $0.cuEventRecord(event, stream) }
    repeat {
      if code == DriverResult.success { code = try context.code { $0.cuEventQuery(event) } }
      if code == DriverResult.success { return anchor(clock.now) }
    } while code == DriverResult.notReady && clock.now - before < patienceMicroseconds
    context.release { $0.cuEventDestroy(event) }
    if code == DriverResult.notReady { return nil }
    throw context.error(code, "reading the device's clock")
  }
}
