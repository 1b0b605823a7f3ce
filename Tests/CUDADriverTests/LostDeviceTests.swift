import Devices
import Glibc
import Testing

@testable import CUDADriver

extension CUDADeviceTests {
  private func launch(_ device: CUDADevice, _ stream: any DeviceStream) throws {
    try withUnsafeBytes(of: 0 as UInt64) { arguments in
      try stream.launch(
        device.kernel("first"), grid: LaunchSize(1), block: LaunchSize(1), sharedByteCount: 0,
        arguments: arguments)
    }
  }

  private static let lost = DeviceError.lost(
    device: "Fake 7", reason: "CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was encountered"
  )

  @Test func `a device that a launch has broken is lost at every later call`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let event = try device.makeEvent()
    FakeDriver.change { $0.codeAfterLaunch = 700 }
    try launch(device, stream)
    #expect(throws: Self.lost) { try stream.synchronize() }
    // Also where the driver has nothing to say any more.
    FakeDriver.change { $0.codeAfterLaunch = nil }
    #expect(throws: Self.lost) { try stream.record(event) }
    #expect(throws: Self.lost) { _ = try event.isDone() }
    #expect(throws: Self.lost) { _ = try device.allocate(byteCount: 1, purpose: "test") }
    #expect(throws: Self.lost) { try device.synchronize() }
  }

  @Test func `whoever waits for a word of a lost device gets the error`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let word = try device.allocatePinned(byteCount: 4, purpose: "test").word(at: 0)
    word.store(0)
    FakeDriver.change { $0.codeAfterLaunch = 700 }
    try launch(device, stream)
    #expect(throws: Self.lost) { try device.wait(for: word, atLeast: 1) {} }
  }

  @Test func `a refused call leaves the device usable`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    FakeDriver.change { $0.failures["cuLaunchKernel"] = 701 }
    #expect(
      throws: DeviceError.refused(operation: "launching first (test)", reason: "error 701")
    ) { try launch(device, stream) }
    FakeDriver.change { $0.failures = [:] }
    try launch(device, stream)
    try stream.synchronize()
  }

  @Test func `a wait ends when the word is reached, also where it has wrapped`() throws {
    let device = try FakeDriver.device()
    let word = try device.allocatePinned(byteCount: 8, purpose: "test").word(at: 4)
    device.write(0xFFFF_FFFE, to: word)
    var idled = 0
    try device.wait(for: word, atLeast: 1) {
      idled += 1
      if idled == 5 { device.write(2, to: word) }
    }
    #expect(idled == 5 && word.load() == 2)
    try device.wait(for: word, atLeast: 0xFFFF_FFFF) { Issue.record("it was reached long ago") }
  }

  @Test func `what a waiter does meanwhile may end the wait`() throws {
    struct Enough: Error {}
    let device = try FakeDriver.device()
    let word = try device.allocatePinned(byteCount: 4, purpose: "test").word(at: 0)
    device.write(0, to: word)
    #expect(throws: Enough.self) { try device.wait(for: word, atLeast: 1) { throw Enough() } }
  }

  @Test func `streams wait for words only where the driver does what it says`() throws {
    var library = FakeDriver.library
    library.cuStreamWaitValue32 = nil
    #expect(try !FakeDriver.device(FakeDriver.text, library).properties.waitsForMemory)
    FakeDriver.change { $0.failures["cuStreamWaitValue32"] = 801 }
    let device = try FakeDriver.device()
    #expect(!device.properties.waitsForMemory)
    let calls = FakeDriver.now.calls
    let (waited, freed) = (
      calls.lastIndex(of: "cuStreamSynchronize"), calls.lastIndex(of: "cuMemFreeHost")
    )
    #expect(try #require(waited) < #require(freed), "a word is not freed under a write")
    let stream = try device.makeStream(name: "test")
    let word = try device.allocatePinned(byteCount: 4, purpose: "test").word(at: 0)
    guard
      case .refused = (#expect(throws: DeviceError.self) { try stream.wait(for: word, atLeast: 1) })
    else {
      Issue.record("no refusal")
      return
    }
    try stream.write(7, to: word)
    #expect(word.load() == 7)
  }

  @Test func `every thread has the device's context`() throws {
    let device = try FakeDriver.device()
    final class Work {
      let device: CUDADevice
      var error: (any Error)?
      init(_ device: CUDADevice) { self.device = device }
    }
    let work = Work(device)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { raw in
        let work = Unmanaged<Work>.fromOpaque(raw!).takeUnretainedValue()
        do { _ = try work.device.allocate(byteCount: 16, purpose: "test") } catch {
          work.error = error
        }
        return nil
      }, Unmanaged.passUnretained(work).toOpaque())
    pthread_join(thread, nil)
    #expect(work.error == nil && FakeDriver.now.homeless.isEmpty)
  }
}
