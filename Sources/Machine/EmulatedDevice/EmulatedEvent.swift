import Devices
import Synchronization

/// An event of an emulated device.
final class EmulatedEvent: DeviceEvent {
  static let foreign = DeviceError.refused(
    operation: "use of an event", reason: "it belongs to another device")

  let number: Int
  private let emulation: Emulation
  private let recording = Mutex<Recording?>(nil)

  init(emulation: Emulation, number: Int) {
    self.emulation = emulation
    self.number = number
  }

  /// Its last recording.
  var last: Recording? {
    get { recording.withLock { $0 } }
    set { recording.withLock { $0 = newValue } }
  }

  func isDone() throws(DeviceError) -> Bool {
    guard let last else {
      try emulation.locked {}
      return true
    }
    return try emulation.hasCome(last)
  }

  func synchronize() throws(DeviceError) {
    guard let last else { return try emulation.locked {} }
    try emulation.wait(for: last)
  }

  func time() throws(DeviceError) -> Double? {
    guard let last else {
      try emulation.locked {}
      return nil
    }
    return try emulation.time(of: last)
  }
}
