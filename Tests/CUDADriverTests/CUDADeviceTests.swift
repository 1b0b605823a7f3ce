import Devices
import TestSupport
import Testing

@testable import CUDADriver

/// One at a time: the driver of a process is one.
@Suite(.serialized) struct CUDADeviceTests {
  init() { FakeDriver.set() }

  private func error(_ body: () throws -> Void) -> DeviceError? {
    do {
      try body()
      return nil
    } catch { return error as? DeviceError }
  }

  @Test func `a missing library is told by its name`() {
    let error = error {
      _ = try DriverLibrary.open(names: ["libno-such-driver.so.1", "also-none"])
    }
    guard case .noDriver(let detail) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(detail.contains("libno-such-driver.so.1"))
  }

  @Test func `a library without the driver's functions is no driver`() {
    let error = error { _ = try DriverLibrary.open(names: ["libc.so.6", "also-none"]) }
    #expect(
      error == .noDriver(detail: "libc.so.6 is no NVIDIA driver (it has no cuInit)"))
  }

  @Test(arguments: [
    (nil, 32), ("1", 1), ("3", 3), ("4", 4), ("32", 32), ("33", 8), ("0", 8), ("many", 8),
  ])
  func `streams wait for the host only where none holds another up`(
    value: String?, count: Int
  ) throws {
    #expect(HardwareQueues.count(value) == count)
    let driver = try Driver(FakeDriver.library, files: FakeDriver.files(FakeDriver.text)) {
      #expect(FakeDriver.now.count("cuInit") == 0, "the driver reads the variable when it starts")
      return count
    }
    let properties = try CUDADevice(index: 0, driver).properties
    #expect(properties.waitsForMemory == (count >= 4))
    #expect((properties.remark == nil) == (count >= 4))
    #expect(properties.remark?.contains("CUDA_DEVICE_MAX_CONNECTIONS is \(count)") ?? true)
  }

  @Test func `pageable memory may change when its copy returns, and who waits for events sleeps`()
    throws
  {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let memory = try device.allocate(byteCount: 4, purpose: "test")
    try withUnsafeBytes(of: 7 as UInt32) { bytes in
      try stream.copyPageable(from: bytes, to: memory.address)
    }
    let calls = FakeDriver.now.calls.filter { $0 != "cuCtxSetCurrent" }
    #expect(calls.suffix(2) == ["cuMemcpyHtoDAsync", "cuStreamSynchronize"])
    _ = try device.makeEvent()
    #expect(FakeDriver.now.eventFlags.allSatisfy { $0 == 1 } && !FakeDriver.now.eventFlags.isEmpty)
  }

  @Test func `a driver is refused that is older than this program needs, or than its kernels`() {
    FakeDriver.change { $0.versionCode = 11080 }
    #expect(error { _ = try FakeDriver.device() } == .driverTooOld(found: "11.8", needed: "12.1"))
    FakeDriver.change { $0.versionCode = 12040 }
    let newer = FakeDriver.text.replacing(".version 8.1", with: ".version 8.5")
    #expect(
      error { _ = try FakeDriver.device(newer) } == .driverTooOld(found: "12.4", needed: "12.5"))
    #expect(FakeDriver.now.count("cuInit") == 0, "a driver that is too old is not started")
  }

  @Test func `no device, another device and a stub are told apart`() {
    FakeDriver.change { $0.failures["cuInit"] = 100 }
    #expect(error { _ = try FakeDriver.device() } == .noDevice(asked: nil, found: 0))
    FakeDriver.change { $0.failures["cuInit"] = 34 }
    guard case .noDriver = error({ _ = try FakeDriver.device() }) else {
      Issue.record("a stub is no driver")
      return
    }
    FakeDriver.change {
      $0.failures = [:]
      $0.deviceCount = 0
    }
    #expect(error { _ = try FakeDriver.device() } == .noDevice(asked: nil, found: 0))
    FakeDriver.change { $0.deviceCount = 2 }
    let driver = try? Driver(FakeDriver.library, files: [])
    for index in [-1, 2] {
      let error = error { _ = try driver.map { try CUDADevice(index: index, $0) } }
      #expect(error == .noDevice(asked: index, found: 2))
    }
    #expect((try? driver?.devices())?.map(\.name) == ["Fake 7", "Fake 8"])
  }

  @Test func `the driver's version is told without starting it, also of one that is too old`() {
    FakeDriver.change { $0.versionCode = 11040 }
    #expect(CUDADevice.driverVersion(FakeDriver.library) == "11.4")
    #expect(FakeDriver.now.calls == ["cuDriverGetVersion"])
    FakeDriver.change { $0.failures["cuDriverGetVersion"] = 999 }
    #expect(CUDADevice.driverVersion(FakeDriver.library) == nil)
  }

  @Test func `a device older than the kernels is refused with both numbers`() {
    FakeDriver.change { $0.capability = (7, 0) }
    guard case .refused(let operation, let reason) = error({ _ = try FakeDriver.device() }) else {
      Issue.record("it was opened")
      return
    }
    #expect(operation == "opening Fake 7")
    #expect(reason.contains("7.0") && reason.contains("7.5"))
  }

  @Test func `a device says what it is`() throws {
    let device = try FakeDriver.device()
    var expected = DeviceProperties(
      name: "Fake 7", totalByteCount: 1 << 20, multiprocessorCount: 46, major: 8, minor: 9,
      driverVersion: "12.4", waitsForMemory: true, isEmulated: false)
    expected.pendingOperationLimit = CUDADevice.pendingOperationLimit
    #expect(device.properties == expected)
  }

  @Test func `copies, clearing and launches reach the driver with their arguments`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let pinned = try device.allocatePinned(byteCount: 64, purpose: "test")
    let memory = try device.allocate(byteCount: 64, purpose: "test")
    for index in 0..<64 {
      pinned.base.storeBytes(of: UInt8(index), toByteOffset: index, as: UInt8.self)
    }
    try stream.copy(from: pinned.span(8, byteCount: 16), to: memory.address)
    try stream.copy(from: memory.address, to: memory.address + 32, byteCount: 16)
    try stream.clear(memory.address, byteCount: 4)
    try stream.copy(from: memory.address + 32, to: pinned.span(40, byteCount: 8))
    try stream.copy(from: memory.address, to: pinned.span(48, byteCount: 8))
    let bytes = [UInt8](UnsafeRawBufferPointer(start: pinned.base, count: 64))
    #expect(Array(bytes[40..<48]) == [8, 9, 10, 11, 12, 13, 14, 15])
    #expect(Array(bytes[48..<56]) == [0, 0, 0, 0, 12, 13, 14, 15])
    #expect(FakeDriver.now.hostFlags.allSatisfy { $0 == 3 }, "portable and mapped")

    try withUnsafeBytes(of: (0x0102_0304_0506_0708 as UInt64, 9 as UInt64)) { arguments in
      try stream.launch(
        device.kernel("second"), grid: LaunchSize(2, 3, 4), block: LaunchSize(32),
        sharedByteCount: 100, arguments: arguments)
    }
    let launch = try #require(FakeDriver.now.launches.first)
    #expect(launch.grid == [2, 3, 4, 32, 1, 1] && launch.shared == 100)
    #expect(launch.firstBytes == 0x0102_0304_0506_0708)
    #expect(FakeDriver.now.homeless.isEmpty)
  }

  @Test func `nothing is copied or cleared where there is nothing`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let pinned = try device.allocatePinned(byteCount: 0, purpose: "test")
    let memory = try device.allocate(byteCount: 0, purpose: "test")
    try stream.copy(from: pinned.span(0, byteCount: 0), to: memory.address)
    try stream.copyPageable(from: UnsafeRawBufferPointer(start: nil, count: 0), to: memory.address)
    try stream.clear(memory.address, byteCount: 0)
    #expect(FakeDriver.now.count("cuMemcpyHtoDAsync") == 0)
    #expect(FakeDriver.now.count("cuMemsetD8Async") == 0)
  }

  @Test func `memory that is short says for what, and is free again when given back`() throws {
    let device = try FakeDriver.device()
    do {
      let memory = try device.allocate(byteCount: 1 << 20, purpose: "experts")
      #expect(try device.freeByteCount() == 0)
      #expect(
        error { _ = try device.allocate(byteCount: 5, purpose: "scratch") }
          == .outOfMemory(device: "Fake 7", byteCount: 5, purpose: "scratch"))
      withExtendedLifetime(memory) {}
    }
    #expect(try device.freeByteCount() == 1 << 20)
  }

  @Test func `pinned memory that is refused says why`() throws {
    let device = try FakeDriver.device()
    FakeDriver.change {
      $0.failures["cuMemHostAlloc"] = 2
      $0.failures["cuMemHostRegister"] = 801
    }
    #expect(
      error { _ = try device.allocatePinned(byteCount: 8, purpose: "weights") }
        == .cannotPin(
          byteCount: 8, purpose: "weights", reason: "CUDA_ERROR_OUT_OF_MEMORY, out of memory"))
    let page = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 4096)
    defer { page.deallocate() }
    for (base, part) in [(page, "CUDA_ERROR_NOT_SUPPORTED"), (page + 8, "begin with a page")] {
      guard
        case .cannotPin(4096, _, let reason) = error({ _ = try device.pin(base, byteCount: 4096) })
      else {
        Issue.record("it was pinned")
        return
      }
      #expect(reason.contains(part))
    }
  }

  @Test func `memory that may only be read is pinned as such`() throws {
    FakeDriver.change { $0.pinsReadOnly = true }
    let device = try FakeDriver.device()
    let page = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096)
    defer { page.deallocate() }
    do {
      let pinned = try device.pin(page, byteCount: 4096)
      #expect(pinned.base == page && FakeDriver.now.hostFlags.suffix(2) == [3, 11])
    }
    #expect(FakeDriver.now.count("cuMemHostUnregister") == 1)
  }

  @Test func `an event has its time by the host's clock, and none before it is recorded`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let (first, second) = (try device.makeEvent(), try device.makeEvent())
    #expect(try first.time() == nil)
    try stream.record(first)
    try stream.record(second)
    try stream.wait(for: first)
    let times = (try #require(try first.time()), try #require(try second.time()))
    #expect(abs(times.1 - times.0 - 250) < 1e-3, "as the driver counts")
  }

  @Test func `a device that takes its time is waited for, and an event until it is reached`() throws
  {
    FakeDriver.change { $0.unreachedCount = 20 }
    let device = try FakeDriver.device()
    #expect(FakeDriver.now.unreachedCount == 0)
    let stream = try device.makeStream(name: "test")
    let event = try device.makeEvent()
    try stream.record(event)
    FakeDriver.change { $0.unreachedCount = 2 }
    #expect(try !event.isDone())
    #expect(try event.time() == nil)
    #expect(try event.time() != nil)
  }

  @Test func `what is made is given back, the context last`() throws {
    do {
      let device = try FakeDriver.device()
      let stream = try device.makeStream(name: "test")
      let event = try device.makeEvent()
      try stream.record(event)
      _ = try device.kernel("first")
      _ = try device.allocate(byteCount: 100, purpose: "test")
      _ = try device.allocatePinned(byteCount: 100, purpose: "test")
    }
    #expect(FakeDriver.now.livingCount == 0)
    #expect(FakeDriver.now.calls.last == "cuDevicePrimaryCtxRelease")
    #expect(FakeDriver.now.count("cuMemHostAlloc") == FakeDriver.now.count("cuMemFreeHost"))
  }
}
