import HostMemory

/// An accelerator as its driver offers it: memory, streams, events, copies, kernels. Nothing here knows a
/// model; nothing above knows which driver it is.
///
/// Two implementations: `CUDADevice` and `EmulatedDevice`, which runs the same kernels on this
/// processor. Work is submitted to streams and happens later, in each stream in order; between streams
/// only events and memory values order it. Every call may be made from any thread.
///
/// An error of work that ran earlier is thrown by a later call; after `DeviceError.lost` every call throws
/// it again, and whatever waited has returned.
public protocol Device: AnyObject, Sendable {
  var properties: DeviceProperties { get }

  /// Bytes that can be allocated now.
  /// - Throws: `DeviceError`.
  func freeByteCount() throws(DeviceError) -> Int

  /// Memory of the device, 256-aligned, of unspecified content; freed when its last reference goes.
  /// - Parameter purpose: what it is for, for the error's text.
  /// - Throws: `DeviceError.outOfMemory`, `.lost`.
  func allocate(byteCount: Int, purpose: String) throws(DeviceError) -> DeviceMemory

  /// Host memory that copies read and write without a detour, and that kernels see at `deviceAddress`.
  /// - Throws: `DeviceError.cannotPin`, `.lost`.
  func allocatePinned(byteCount: Int, purpose: String) throws(DeviceError) -> PinnedMemory

  /// Pins memory that is there already, in whole pages; unpinned when the reference goes. The memory outlives it.
  /// - Throws: `DeviceError.cannotPin`, `.lost`.
  func pin(_ base: UnsafeMutableRawPointer, byteCount: Int) throws(DeviceError) -> PinnedMemory

  func makeStream(name: String) throws(DeviceError) -> any DeviceStream

  /// An event that `elapsed` can read.
  func makeEvent() throws(DeviceError) -> any DeviceEvent

  /// - Throws: `DeviceError.noKernel`.
  func kernel(_ name: String) throws(DeviceError) -> DeviceKernel

  /// Returns when a word of pinned memory, as a kernel or a stream writes it, is at least `value` (as
  /// sequence numbers compare, so that they may wrap), and all that was written before it is visible.
  /// Between looks it calls `idle`, for instance to issue copies.
  /// - Throws: `DeviceError.lost`, and what `idle` throws.
  func wait(for word: PinnedWord, atLeast value: UInt32, idle: () throws -> Void) throws

  /// Writes a word that a stream waits for; all that the host wrote before is visible with it.
  func write(_ value: UInt32, to word: PinnedWord)

  /// The clock that events are read against.
  var clock: any DeviceClock { get }

  /// Returns when everything submitted is done.
  /// - Throws: `DeviceError`.
  func synchronize() throws(DeviceError)
}

/// What a device is.
public struct DeviceProperties: Sendable, Equatable {
  public var name: String
  public var totalByteCount: Int
  public var multiprocessorCount: Int
  /// Such as 8.9; 0.0 for the emulated device.
  public var computeCapability: (major: Int, minor: Int) { (major, minor) }
  public var major: Int
  public var minor: Int
  /// The driver's version as people write it, such as `12.4`.
  public var driverVersion: String
  /// Whether streams can wait for a word of memory. Where not, work that depends on the host is submitted
  /// when the host is done.
  public var waitsForMemory: Bool
  /// Whether the device is emulated: its times say nothing about a machine.
  public var isEmulated: Bool
  /// Operations that a stream takes before the call that submits the next one waits for the stream. Whoever submits
  /// work behind a word that it will write itself must stay below, or waits for itself for ever.
  public var pendingOperationLimit = Int.max
  /// What the user should know of how the device is used here, a sentence without its full stop; nil where
  /// nothing is unusual.
  public var remark: String?

  public init(
    name: String, totalByteCount: Int, multiprocessorCount: Int, major: Int, minor: Int,
    driverVersion: String, waitsForMemory: Bool, isEmulated: Bool
  ) {
    self.name = name
    self.totalByteCount = totalByteCount
    self.multiprocessorCount = multiprocessorCount
    self.major = major
    self.minor = minor
    self.driverVersion = driverVersion
    self.waitsForMemory = waitsForMemory
    self.isEmulated = isEmulated
  }
}

/// A sequence of operations that run in order, beside other streams.
public protocol DeviceStream: AnyObject, Sendable {
  /// Copies from pinned host memory to the device; the source must not change until the copy is done.
  func copy(from source: PinnedSpan, to target: UInt64) throws(DeviceError)
  /// Copies from the device to pinned host memory.
  func copy(from source: UInt64, to target: PinnedSpan) throws(DeviceError)
  /// Copies within the device.
  func copy(from source: UInt64, to target: UInt64, byteCount: Int) throws(DeviceError)
  /// Copies from ordinary host memory, which the driver stages: it may block and is slow, but needs nothing pinned. The source
  /// may change when the call returns.
  func copyPageable(from source: UnsafeRawBufferPointer, to target: UInt64) throws(DeviceError)
  /// Sets bytes to zero.
  func clear(_ target: UInt64, byteCount: Int) throws(DeviceError)
  /// Runs a kernel that takes one struct by value.
  /// - Parameter arguments: the struct's bytes, read before the call returns.
  func launch(
    _ kernel: DeviceKernel, grid: LaunchSize, block: LaunchSize, sharedByteCount: Int,
    arguments: UnsafeRawBufferPointer
  ) throws(DeviceError)
  func record(_ event: any DeviceEvent) throws(DeviceError)
  /// What follows in this stream waits for the event as it was last recorded; for an event that was never recorded
  /// there is nothing to wait for.
  func wait(for event: any DeviceEvent) throws(DeviceError)
  /// What follows waits until a word of pinned memory is at least `value` (as sequence numbers compare).
  /// - Precondition: `properties.waitsForMemory`.
  func wait(for word: PinnedWord, atLeast value: UInt32) throws(DeviceError)
  /// Writes a word of pinned memory when all before it is done.
  /// - Precondition: `properties.waitsForMemory`.
  func write(_ value: UInt32, to word: PinnedWord) throws(DeviceError)
  /// Returns when everything submitted to this stream is done.
  func synchronize() throws(DeviceError)
}

/// A point in a stream.
public protocol DeviceEvent: AnyObject, Sendable {
  /// Whether the work before its last recording is done; true where it was never recorded.
  func isDone() throws(DeviceError) -> Bool
  /// Returns when it is.
  func synchronize() throws(DeviceError)
  /// When it was reached, in microseconds of the device's clock; nil until then.
  func time() throws(DeviceError) -> Double?
}

/// Microseconds as host and device share them.
public protocol DeviceClock: Sendable {
  /// Microseconds since the device was opened.
  var now: Double { get }
  /// The host has computed for so long: a clock of an emulated device, which stands still while nobody says
  /// anything, moves on. A clock that runs by itself takes no note.
  func hostWorked(microseconds: Double)
}

/// A kernel, ready to be launched. Its handle belongs to the device that gave it.
public struct DeviceKernel: Sendable {
  public let name: String
  /// What the device knows it by.
  public let handle: UInt
  public init(name: String, handle: UInt) {
    self.name = name
    self.handle = handle
  }
}

/// Blocks of a grid or threads of a block.
public struct LaunchSize: Sendable, Equatable {
  public var x: Int
  public var y: Int
  public var z: Int
  public init(_ x: Int, _ y: Int = 1, _ z: Int = 1) {
    self.x = x
    self.y = y
    self.z = z
  }
}
