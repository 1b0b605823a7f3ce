import CGPUKernels
import Devices
import Testing

@testable import CUDADriver

extension CUDADeviceTests {
  @Test func `files of kernels are compiled when their first kernel is asked for`() throws {
    let other = FakeDriver.text.replacing("first", with: "third").replacing(
      "second", with: "fourth")
    let files = FakeDriver.files(FakeDriver.text, other)
    let device = try CUDADevice(index: 0, Driver(FakeDriver.library, files: files))
    #expect(FakeDriver.now.count("cuModuleLoadDataEx") == 0)
    let kernels = try ["fourth", "third", "fourth"].map { try device.kernel($0) }
    #expect(FakeDriver.now.count("cuModuleLoadDataEx") == 1)
    #expect(kernels[0].handle == kernels[2].handle && kernels[0].handle != kernels[1].handle)
    #expect(FakeDriver.now.count("cuFuncLoad") == 2, "brought to the device before a launch")
  }

  @Test func `a kernel that is in no file is refused by its name`() throws {
    let device = try FakeDriver.device()
    #expect(throws: DeviceError.noKernel(name: "firs", device: "Fake 7")) {
      _ = try device.kernel("firs")
    }
  }

  @Test func `a text that the driver cannot compile is refused with the compiler's words`() throws {
    FakeDriver.change { $0.compilerWords = "ptxas error\nline 7; unexpected 'broken'\n" }
    let device = try FakeDriver.device(FakeDriver.text + "broken")
    #expect(
      throws: DeviceError.refused(
        operation: "compiling the kernels of file0 for Fake 7",
        reason: "CUDA_ERROR_INVALID_PTX: ptxas error; line 7; unexpected 'broken'")
    ) { _ = try device.kernel("first") }
  }

  @Test func `much shared memory is asked for once, and little never`() throws {
    let device = try FakeDriver.device()
    let stream = try device.makeStream(name: "test")
    let kernel = try device.kernel("first")
    for byteCount in [48 << 10, 60 << 10, 60 << 10, 50 << 10, 64 << 10] {
      try withUnsafeBytes(of: 0 as UInt64) { arguments in
        try stream.launch(
          kernel, grid: LaunchSize(1), block: LaunchSize(1), sharedByteCount: byteCount,
          arguments: arguments)
      }
    }
    #expect(FakeDriver.now.count("cuFuncSetAttribute") == 2)
  }

  @Test func `a file says its version, its target and its kernels`() {
    let file = FakeDriver.files(FakeDriver.text)[0]
    #expect(file.version == (8, 1) && file.target == 75 && file.kernels == ["first", "second"])
    #expect(file.text.last == 0)
    let none = FakeDriver.files("")[0]
    #expect(none.version == (0, 0) && none.target == 0 && none.kernels.isEmpty && none.text == [0])
  }

  @Test func `versions of PTX need the drivers that first read them`() {
    let needed = [(7, 8), (8, 0), (8, 1), (8, 5), (8, 6), (8, 8), (9, 0)].map {
      DriverVersion(readingPTXMajor: $0.0, minor: $0.1)?.text
    }
    #expect(needed == ["11.8", "12.0", "12.1", "12.5", "12.7", "12.9", "13.0"])
    #expect(DriverVersion(readingPTXMajor: 99, minor: 0) == nil)
  }

  /// The driver's compiler may fuse a product with a sum where neither names its rounding, which changes bits.
  @Test func `the kernels name the rounding of every sum and product`() {
    for file in PTXFile.carried() {
      let text = file.text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      for operation in ["add.f32", "sub.f32", "mul.f32", "add.ftz", "div.approx", "div.full"] {
        #expect(!text.contains(operation), "\(operation) in \(file.name)")
      }
    }
  }
}
