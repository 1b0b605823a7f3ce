import Devices
import Synchronization

/// What the driver knows of an event.
final class DriverEvent: Sendable {
  let handle: UInt
  private let context: CUDAContext

  init(_ context: CUDAContext) throws(DeviceError) {
    self.context = context
    var handle: UInt = 0
    // Whoever waits sleeps: the thread that feeds the link waits most of the time, and would take a core from
    // the experts' threads if the driver asked again and again.
    try context.call("making an event") {
      $0.cuEventCreate(&handle, DriverConstant.blockingEvent)
    }
    self.handle = handle
  }

  deinit { context.release { $0.cuEventDestroy(handle) } }
}

/// A point in a stream, whose time is known by the host's clock.
final class CUDAEvent: DeviceEvent {
  var handle: UInt { event.handle }
  private let event: DriverEvent
  private let context: CUDAContext
  private let anchors: EventAnchors
  /// What its time is measured from; nil until it is recorded.
  private let anchor = Mutex<EventAnchors.Anchor?>(nil)

  init(_ context: CUDAContext, anchors: EventAnchors) throws(DeviceError) {
    self.context = context
    self.anchors = anchors
    event = try DriverEvent(context)
  }

  func record(in stream: UInt) throws(DeviceError) {
    let anchor = try anchors.current()
    try context.call("recording an event") { $0.cuEventRecord(handle, stream) }
    self.anchor.withLock { $0 = anchor }
  }

  func isDone() throws(DeviceError) -> Bool {
    let code = try context.code { $0.cuEventQuery(handle) }
    if code == DriverResult.success { return true }
    if code == DriverResult.notReady { return false }
    throw context.error(code, "asking for an event")
  }

  func synchronize() throws(DeviceError) {
    try context.call("waiting for an event") { $0.cuEventSynchronize(handle) }
  }

  func time() throws(DeviceError) -> Double? {
    guard let anchor = anchor.withLock({ $0 }), try isDone() else { return nil }
    var milliseconds: Float = 0
    let code = try context.code {
      $0.cuEventElapsedTime(&milliseconds, anchor.event.handle, handle)
    }
    // Recorded again in between.
    if code == DriverResult.notReady { return nil }
    guard code == DriverResult.success else { throw context.error(code, "reading an event's time") }
    return anchor.microseconds + Double(milliseconds) * 1e3
  }
}
