import Devices

extension CUDAContext {
  /// Whether streams can wait for words of memory and write them: by trying, since no attribute of the present
  /// interface says it, and drivers that emulate streams (WSL 2) may take the calls and refuse them.
  /// - Throws: `DeviceError.lost`, and `.refused` where there is not even a stream.
  func waitsForMemory() throws(DeviceError) -> Bool {
    guard let wait = library.cuStreamWaitValue32, let write = library.cuStreamWriteValue32 else {
      return false
    }
    var base: UnsafeMutableRawPointer?
    var address: UInt64 = 0
    let flags = DriverConstant.portable | DriverConstant.deviceMapped
    guard try code({ $0.cuMemHostAlloc(&base, 4, flags) }) == DriverResult.success, let base else {
      return false
    }
    defer { release { $0.cuMemFreeHost(base) } }
    guard
      try code({ $0.cuMemHostGetDevicePointer(&address, base, 0) }) == DriverResult.success
    else { return false }
    var stream: UInt = 0
    try call("making a stream") { $0.cuStreamCreate(&stream, DriverConstant.nonBlockingStream) }
    // What was taken is done before its word goes, also where the next call is refused.
    defer {
      release { [stream] in $0.cuStreamSynchronize(stream) }
      release { [stream] in $0.cuStreamDestroy(stream) }
    }
    base.storeBytes(of: 0, as: UInt32.self)
    // The value has wrapped: 1 is behind 0xFFFF_FFFF, so that the second wait passes too.
    for (value, least) in [(1, 1), (1, 0xFFFF_FFFF)] as [(UInt32, UInt32)] {
      guard try code({ _ in write(stream, address, value, 0) }) == DriverResult.success,
        try code({ _ in wait(stream, address, least, DriverConstant.waitAtLeast) })
          == DriverResult.success
      else { return false }
    }
    try call("waiting for a stream") { $0.cuStreamSynchronize(stream) }
    return base.load(as: UInt32.self) == 1
  }
}
