import Devices

/// A stream of the driver, which does not wait for the driver's default stream.
final class CUDAStream: DeviceStream {
  private let handle: UInt
  private let name: String
  private let context: CUDAContext
  private let kernels: KernelModules

  init(_ context: CUDAContext, kernels: KernelModules, name: String) throws(DeviceError) {
    self.context = context
    self.kernels = kernels
    self.name = name
    var handle: UInt = 0
    try context.call("making the stream \(name)") {
      $0.cuStreamCreate(&handle, DriverConstant.nonBlockingStream)
    }
    self.handle = handle
    context.register(handle)
  }

  deinit {
    context.unregister(handle)
    // Work that is still in it is done first, without anybody waiting.
    context.release { $0.cuStreamDestroy(handle) }
  }

  func copy(from source: PinnedSpan, to target: UInt64) throws(DeviceError) {
    guard source.byteCount > 0 else { return }
    try context.call("copying \(source.byteCount) bytes to the device (\(name))") {
      $0.cuMemcpyHtoDAsync(target, source.base, source.byteCount, handle)
    }
  }

  func copy(from source: UInt64, to target: PinnedSpan) throws(DeviceError) {
    guard target.byteCount > 0 else { return }
    try context.call("copying \(target.byteCount) bytes from the device (\(name))") {
      $0.cuMemcpyDtoHAsync(target.base, source, target.byteCount, handle)
    }
  }

  func copy(from source: UInt64, to target: UInt64, byteCount: Int) throws(DeviceError) {
    guard byteCount > 0 else { return }
    try context.call("copying \(byteCount) bytes within the device (\(name))") {
      $0.cuMemcpyDtoDAsync(target, source, byteCount, handle)
    }
  }

  // The driver has taken all bytes when the call returns only where it stages them: devices that read
  // pageable memory themselves may still be reading, while the caller fills it anew.
  func copyPageable(
    from source: UnsafeRawBufferPointer, to target: UInt64
  ) throws(DeviceError) {
    guard let base = source.baseAddress, !source.isEmpty else { return }
    try context.call("copying \(source.count) pageable bytes to the device (\(name))") {
      $0.cuMemcpyHtoDAsync(target, base, source.count, handle)
    }
    try synchronize()
  }

  func clear(_ target: UInt64, byteCount: Int) throws(DeviceError) {
    guard byteCount > 0 else { return }
    try context.call("clearing \(byteCount) bytes (\(name))") {
      $0.cuMemsetD8Async(target, 0, byteCount, handle)
    }
  }

  func launch(
    _ kernel: DeviceKernel, grid: LaunchSize, block: LaunchSize, sharedByteCount: Int,
    arguments: UnsafeRawBufferPointer
  ) throws(DeviceError) {
    try kernels.prepare(kernel, sharedByteCount: sharedByteCount)
    // The driver knows how many bytes the kernel takes, and reads them before it returns.
    var parameter = UnsafeMutableRawPointer(mutating: arguments.baseAddress)
    try context.call("launching \(kernel.name) (\(name))") { library in
      withUnsafeMutablePointer(to: &parameter) { parameters in
        library.cuLaunchKernel(
          kernel.handle, UInt32(grid.x), UInt32(grid.y), UInt32(grid.z), UInt32(block.x),
          UInt32(block.y), UInt32(block.z), UInt32(sharedByteCount), handle, parameters, nil)
      }
    }
  }

  func record(_ event: any DeviceEvent) throws(DeviceError) {
    try own(event).record(in: handle)
  }

  func wait(for event: any DeviceEvent) throws(DeviceError) {
    let event = own(event)
    try context.call("waiting for an event (\(name))") {
      $0.cuStreamWaitEvent(handle, event.handle, 0)
    }
  }

  func wait(for word: PinnedWord, atLeast value: UInt32) throws(DeviceError) {
    guard let wait = context.library.cuStreamWaitValue32 else { throw lacking("wait for") }
    try context.call("waiting for a word (\(name))") { _ in
      wait(handle, word.deviceAddress, value, DriverConstant.waitAtLeast)
    }
  }

  // By itself the write comes after all that was written before it in the stream.
  func write(_ value: UInt32, to word: PinnedWord) throws(DeviceError) {
    guard let write = context.library.cuStreamWriteValue32 else { throw lacking("write") }
    try context.call("writing a word (\(name))") { _ in
      write(handle, word.deviceAddress, value, 0)
    }
  }

  func synchronize() throws(DeviceError) {
    try context.call("waiting for the stream \(name)") { $0.cuStreamSynchronize(handle) }
  }

  private func own(_ event: any DeviceEvent) -> CUDAEvent {
    guard let event = event as? CUDAEvent else {
      preconditionFailure("an event of another device")
    }
    return event
  }

  private func lacking(_ what: String) -> DeviceError {
    .refused(
      operation: "letting a stream \(what) a word",
      reason: "this driver has no stream memory operations")
  }
}
