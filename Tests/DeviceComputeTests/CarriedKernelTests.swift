import CGPUKernels
import Testing

@testable import DeviceCompute

@Suite struct CarriedKernelTests {
  /// What the emulated device runs is compiled from the sources; what a GPU runs is compiled before and carried.
  @Test(arguments: DeviceOperations.Kernel.allCases)
  func `every kernel that is launched is carried as PTX`(kernel: DeviceOperations.Kernel) {
    let files = UnsafeBufferPointer(start: gpu_ptx_files(), count: gpu_ptx_count())
    let holders = files.filter {
      let text = UnsafeRawBufferPointer(start: $0.text, count: $0.byte_count)
      return String(decoding: text, as: UTF8.self).contains(".entry \(kernel.name)(")
    }
    #expect(holders.count == 1, "regenerate Sources/Machine/CGPUKernels/ptx")
  }
}
