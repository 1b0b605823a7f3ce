import Devices

/// The driver, started and new enough.
struct Driver: Sendable {
  let library: DriverLibrary
  let version: DriverVersion
  /// The kernels that devices run.
  let files: [PTXFile]
  /// How many streams work beside each other.
  private let queueCount: Int

  /// Opens the driver of this machine.
  static func open() throws(DeviceError) -> Driver {
    try Driver(DriverLibrary.open(), files: PTXFile.carried())
  }

  /// - Parameter queues: asked for before the driver starts; see `HardwareQueues`.
  /// - Throws: `DeviceError.driverTooOld`, `.noDriver`, `.noDevice`, `.refused`.
  init(
    _ library: DriverLibrary, files: [PTXFile], queues: () -> Int = HardwareQueues.ask
  ) throws(DeviceError) {
    self.library = library
    self.files = files
    var code: Int32 = 0
    try Self.check(library.cuDriverGetVersion(&code), library, "asking for the driver's version")
    version = DriverVersion(code: code)
    let needed = files.compactMap {
      DriverVersion(readingPTXMajor: $0.version.major, minor: $0.version.minor)
    }.reduce(DriverVersion.needed, max)
    guard version >= needed else {
      throw .driverTooOld(found: version.text, needed: needed.text)
    }
    queueCount = queues()
    try Self.check(library.cuInit(0), library, "starting the NVIDIA driver")
  }

  private static func check(
    _ code: Int32, _ library: DriverLibrary, _ operation: String
  ) throws(DeviceError) {
    switch code {
    case DriverResult.success: return
    case DriverResult.noDevice: throw .noDevice(asked: nil, found: 0)
    case DriverResult.stubLibrary:
      throw .noDriver(
        detail: "the libcuda.so that was found is the toolkit's stub, which only links")
    default:
      throw .refused(operation: operation, reason: DriverResult(code, library).description)
    }
  }

  /// At least 1.
  func deviceCount() throws(DeviceError) -> Int {
    var count: Int32 = 0
    try Self.check(library.cuDeviceGetCount(&count), library, "counting devices")
    guard count > 0 else { throw .noDevice(asked: nil, found: 0) }
    return Int(count)
  }

  /// The driver's number of a device.
  func device(_ index: Int) throws(DeviceError) -> Int32 {
    var number: Int32 = 0
    try Self.check(
      library.cuDeviceGet(&number, Int32(index)), library, "looking for device \(index)")
    return number
  }

  func devices() throws(DeviceError) -> [DeviceProperties] {
    var found: [DeviceProperties] = []
    for index in 0..<(try deviceCount()) { found.append(try properties(device(index))) }
    return found
  }

  func attribute(_ attribute: Int32, of number: Int32) throws(DeviceError) -> Int {
    var value: Int32 = 0
    try Self.check(
      library.cuDeviceGetAttribute(&value, attribute, number), library, "asking what a device is")
    return Int(value)
  }

  func properties(_ number: Int32) throws(DeviceError) -> DeviceProperties {
    var name = [CChar](repeating: 0, count: 256)
    try Self.check(
      library.cuDeviceGetName(&name, Int32(name.count), number), library,
      "asking for a device's name")
    var byteCount = 0
    try Self.check(
      library.cuDeviceTotalMem(&byteCount, number), library, "asking for a device's memory")
    let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let shortage = HardwareQueues.shortage(queueCount)
    var properties = DeviceProperties(
      name: String(decoding: text, as: UTF8.self), totalByteCount: byteCount,
      multiprocessorCount: try attribute(DriverConstant.multiprocessorCount, of: number),
      major: try attribute(DriverConstant.computeCapabilityMajor, of: number),
      minor: try attribute(DriverConstant.computeCapabilityMinor, of: number),
      driverVersion: version.text,
      waitsForMemory: library.cuStreamWaitValue32 != nil && library.cuStreamWriteValue32 != nil
        && shortage == nil,
      isEmulated: false)
    properties.remark = shortage
    return properties
  }
}
