import Devices
import Synchronization

/// The driver's context on one device, and what is known about its health. All that was made in it keeps
/// it alive.
///
/// The primary context is used, as all libraries in a process share it. It is made current before every
/// call, because a thread has none at first and calls come from any thread.
final class CUDAContext: Sendable {
  let library: DriverLibrary
  let number: Int32
  let name: String
  private let handle: UInt
  private let failure = Mutex<DeviceError?>(nil)
  /// Streams that live, to be asked for errors.
  private let streams = Mutex<[UInt]>([])

  /// - Throws: `DeviceError`.
  init(_ library: DriverLibrary, number: Int32, name: String) throws(DeviceError) {
    self.library = library
    self.number = number
    self.name = name
    var handle: UInt = 0
    let code = library.cuDevicePrimaryCtxRetain(&handle, number)
    guard code == DriverResult.success else {
      let result = DriverResult(code, library)
      if code == DriverResult.outOfMemory {
        throw .outOfMemory(device: name, byteCount: 0, purpose: "the driver's own use")
      }
      if DriverResult.isSticky(code) { throw .lost(device: name, reason: result.description) }
      throw .refused(operation: "opening \(name)", reason: result.description)
    }
    self.handle = handle
  }

  // What still runs in it is waited for by the driver.
  deinit { _ = library.cuDevicePrimaryCtxRelease(number) }

  /// Calls the driver.
  /// - Parameter operation: what is done, for the error's text.
  /// - Throws: `.lost` for an error that ends the context and at every call after it, else `.refused`.
  func call(
    _ operation: @autoclosure () -> String, _ body: (DriverLibrary) -> Int32
  ) throws(DeviceError) {
    let code = try self.code(body)
    guard code == DriverResult.success else { throw error(code, operation()) }
  }

  /// The same, for calls whose failure means something to the caller.
  /// - Throws: `.lost`.
  func code(_ body: (DriverLibrary) -> Int32) throws(DeviceError) -> Int32 {
    if let failure = failure.withLock({ $0 }) { throw failure }
    _ = library.cuCtxSetCurrent(handle)
    let code = body(library)
    if DriverResult.isSticky(code) { throw error(code, "") }
    return code
  }

  /// For what is given back: where the context is lost, there is nothing to give back to.
  func release(_ body: (DriverLibrary) -> Int32) {
    _ = library.cuCtxSetCurrent(handle)
    _ = body(library)
  }

  /// The error of a code; remembers it where it ends the context.
  func error(_ code: Int32, _ operation: String) -> DeviceError {
    let result = DriverResult(code, library)
    guard DriverResult.isSticky(code) else {
      return .refused(operation: operation, reason: result.description)
    }
    return failure.withLock { failure in
      let first = failure ?? .lost(device: name, reason: result.description)
      failure = first
      return first
    }
  }

  func register(_ stream: UInt) { streams.withLock { $0.append(stream) } }
  func unregister(_ stream: UInt) { streams.withLock { $0.removeAll { $0 == stream } } }

  /// Asks whether the work of the streams goes on: an error of a kernel shows at any later call.
  /// - Throws: `DeviceError`.
  func check() throws(DeviceError) {
    for stream in streams.withLock({ $0 }) {
      let code = try code { $0.cuStreamQuery(stream) }
      guard code == DriverResult.success || code == DriverResult.notReady else {
        throw error(code, "looking after a stream")
      }
    }
  }
}
