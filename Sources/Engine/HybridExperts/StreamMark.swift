import Devices
import Synchronization

/// Events that are used again when nobody refers to them any more.
// Safety: the list is guarded by the lock.
final class EventPool: Sendable {
  private let device: any Device
  private let free = Mutex<[any DeviceEvent]>([])

  init(_ device: any Device) { self.device = device }

  /// An event, recorded where the stream stands now.
  func mark(_ stream: any DeviceStream) throws(DeviceError) -> StreamMark {
    let event: any DeviceEvent
    if let known = free.withLock({ $0.popLast() }) {
      event = known
    } else {
      event = try device.makeEvent()
    }
    try stream.record(event)
    return StreamMark(event, pool: self)
  }

  fileprivate func give(_ event: any DeviceEvent) { free.withLock { $0.append(event) } }
}

/// A point that a stream passes once.
///
/// Every mark has an event for itself as long as anybody holds the mark: a slot is read and written
/// again before the first reading is over, and an event that is recorded twice means its last recording.
final class StreamMark: Sendable {
  let event: any DeviceEvent
  private let pool: EventPool

  fileprivate init(_ event: any DeviceEvent, pool: EventPool) {
    self.event = event
    self.pool = pool
  }

  deinit { pool.give(event) }
}
