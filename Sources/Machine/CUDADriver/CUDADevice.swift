import CSystemCalls
import Devices

/// A graphics card by NVIDIA, through the driver's own interface: no toolkit and no runtime library.
///
/// Memory, streams and events keep the driver's context alive, so that they may be dropped in any order. Giving back
/// memory waits for all streams: do it when none of them waits for the host.
public final class CUDADevice: Device {
  public let properties: DeviceProperties
  public var clock: any DeviceClock { realClock }

  let context: CUDAContext
  private let kernels: KernelModules
  private let anchors: EventAnchors
  private let realClock: CUDAClock
  /// Whether memory that this process may only read can be pinned.
  let pinsReadOnly: Bool

  /// Operations in one stream: about a thousand were seen before a launch waits for an earlier one to end
  /// (forums.developer.nvidia.com/t/68937); half of that leaves room for operations that count twice.
  static let pendingOperationLimit = 500

  /// Opens a device.
  /// - Parameter index: from 0, as the driver counts.
  /// - Throws: `DeviceError.noDriver`, `.driverTooOld`, `.noDevice`, `.refused`, `.lost`.
  public convenience init(index: Int) throws(DeviceError) {
    try self.init(index: index, Driver.open())
  }

  init(index: Int, _ driver: Driver) throws(DeviceError) {
    let count = try driver.deviceCount()
    guard index >= 0, index < count else { throw .noDevice(asked: index, found: count) }
    let number = try driver.device(index)
    var properties = try driver.properties(number)
    let capability = properties.major * 10 + properties.minor
    if let file = driver.files.first(where: { $0.target > capability }) {
      throw .refused(
        operation: "opening \(properties.name)",
        reason:
          "its compute capability is \(properties.major).\(properties.minor), and the kernels "
          + "need \(file.target / 10).\(file.target % 10) or newer; run with --device cpu")
    }
    let context = try CUDAContext(driver.library, number: number, name: properties.name)
    let clock = CUDAClock()
    let anchors = try EventAnchors(context, clock: clock)
    guard try anchors.current(patienceMicroseconds: 5e6) != nil else {
      throw .refused(
        operation: "opening \(properties.name)", reason: "it has done nothing for 5 seconds")
    }
    if properties.waitsForMemory { properties.waitsForMemory = try context.waitsForMemory() }
    properties.pendingOperationLimit = Self.pendingOperationLimit
    self.properties = properties
    self.context = context
    self.anchors = anchors
    realClock = clock
    kernels = KernelModules(context, files: driver.files)
    pinsReadOnly = try driver.attribute(DriverConstant.readOnlyHostRegister, of: number) != 0
  }

  /// What devices there are, in the driver's order. Opens none of them; whether streams can wait for memory is
  /// known for certain only when one is opened.
  /// - Throws: `DeviceError.noDriver`, `.driverTooOld`, `.noDevice`, `.refused`.
  public static func devices() throws(DeviceError) -> [DeviceProperties] {
    try Driver.open().devices()
  }

  /// The version of CUDA that the driver supports, such as `12.4`; nil where there is none. Starts nothing.
  public static func driverVersion() -> String? {
    (try? DriverLibrary.open()).flatMap(driverVersion)
  }

  static func driverVersion(_ library: DriverLibrary) -> String? {
    var code: Int32 = 0
    guard library.cuDriverGetVersion(&code) == DriverResult.success else { return nil }
    return DriverVersion(code: code).text
  }

  public func freeByteCount() throws(DeviceError) -> Int {
    var free = 0
    var total = 0
    try context.call("asking for free memory") { $0.cuMemGetInfo(&free, &total) }
    return free
  }

  public func allocate(byteCount: Int, purpose: String) throws(DeviceError) -> DeviceMemory {
    var address: UInt64 = 0
    // The driver refuses to allocate nothing.
    let code = try context.code { $0.cuMemAlloc(&address, max(1, byteCount)) }
    if code == DriverResult.outOfMemory {
      throw .outOfMemory(device: properties.name, byteCount: byteCount, purpose: purpose)
    }
    guard code == DriverResult.success else {
      throw context.error(code, "allocating \(byteCount) bytes for \(purpose)")
    }
    return DeviceMemory(address: address, byteCount: byteCount) { [context] in
      context.release { $0.cuMemFree(address) }
    }
  }

  public func makeStream(name: String) throws(DeviceError) -> any DeviceStream {
    try CUDAStream(context, kernels: kernels, name: name)
  }

  public func makeEvent() throws(DeviceError) -> any DeviceEvent {
    try CUDAEvent(context, anchors: anchors)
  }

  /// Finds a kernel, which may wait for all streams: to be called before any of them waits for the host.
  public func kernel(_ name: String) throws(DeviceError) -> DeviceKernel {
    try kernels.kernel(name)
  }

  /// How often the streams are asked for errors while the host waits.
  private static let checkMicroseconds = 1e3

  public func wait(for word: PinnedWord, atLeast value: UInt32, idle: () throws -> Void) throws {
    var checked = realClock.now
    while !word.hasReached(value) {
      try idle()
      csc_pause()
      let now = realClock.now
      guard now - checked > Self.checkMicroseconds else { continue }
      // A device that is lost writes no word.
      try context.check()
      checked = now
    }
  }

  public func write(_ value: UInt32, to word: PinnedWord) { word.store(value) }

  public func synchronize() throws(DeviceError) {
    try context.call("waiting for the device") { $0.cuCtxSynchronize() }
  }
}
