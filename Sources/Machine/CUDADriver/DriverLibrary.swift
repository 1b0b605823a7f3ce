/// The driver's functions that this program calls, found in `libcuda.so.1` at run time, so that one
/// binary serves machines with and without a GPU. Named as the driver's documentation names them, without the
/// suffix of the version that is meant; a value, so that tests can be a driver.
///
/// Every function returns the driver's result code (`DriverResult`). Handles (contexts, streams, events,
/// modules, functions) are pointers to things of the driver, carried as numbers of the same width.
struct DriverLibrary: Sendable {
  typealias Code = Int32
  typealias Out<Value> = UnsafeMutablePointer<Value>

  // The driver and its devices.
  var cuInit: @Sendable @convention(c) (UInt32) -> Code
  var cuDriverGetVersion: @Sendable @convention(c) (Out<Int32>) -> Code
  var cuGetErrorName: @Sendable @convention(c) (Code, Out<UnsafePointer<CChar>?>) -> Code
  var cuGetErrorString: @Sendable @convention(c) (Code, Out<UnsafePointer<CChar>?>) -> Code
  var cuDeviceGetCount: @Sendable @convention(c) (Out<Int32>) -> Code
  var cuDeviceGet: @Sendable @convention(c) (Out<Int32>, Int32) -> Code
  var cuDeviceGetName: @Sendable @convention(c) (Out<CChar>, Int32, Int32) -> Code
  var cuDeviceTotalMem: @Sendable @convention(c) (Out<Int>, Int32) -> Code
  var cuDeviceGetAttribute: @Sendable @convention(c) (Out<Int32>, Int32, Int32) -> Code

  // The context.
  var cuDevicePrimaryCtxRetain: @Sendable @convention(c) (Out<UInt>, Int32) -> Code
  var cuDevicePrimaryCtxRelease: @Sendable @convention(c) (Int32) -> Code
  var cuCtxSetCurrent: @Sendable @convention(c) (UInt) -> Code
  var cuCtxSynchronize: @Sendable @convention(c) () -> Code

  // Memory.
  var cuMemGetInfo: @Sendable @convention(c) (Out<Int>, Out<Int>) -> Code
  var cuMemAlloc: @Sendable @convention(c) (Out<UInt64>, Int) -> Code
  var cuMemFree: @Sendable @convention(c) (UInt64) -> Code
  var cuMemHostAlloc: @Sendable @convention(c) (Out<UnsafeMutableRawPointer?>, Int, UInt32) -> Code
  var cuMemFreeHost: @Sendable @convention(c) (UnsafeMutableRawPointer) -> Code
  var cuMemHostGetDevicePointer:
    @Sendable @convention(c) (Out<UInt64>, UnsafeMutableRawPointer, UInt32) -> Code
  var cuMemHostRegister: @Sendable @convention(c) (UnsafeMutableRawPointer, Int, UInt32) -> Code
  var cuMemHostUnregister: @Sendable @convention(c) (UnsafeMutableRawPointer) -> Code

  // Streams and what is put into them.
  var cuStreamCreate: @Sendable @convention(c) (Out<UInt>, UInt32) -> Code
  var cuStreamDestroy: @Sendable @convention(c) (UInt) -> Code
  var cuStreamSynchronize: @Sendable @convention(c) (UInt) -> Code
  var cuStreamQuery: @Sendable @convention(c) (UInt) -> Code
  var cuStreamWaitEvent: @Sendable @convention(c) (UInt, UInt, UInt32) -> Code
  var cuMemcpyHtoDAsync: @Sendable @convention(c) (UInt64, UnsafeRawPointer, Int, UInt) -> Code
  var cuMemcpyDtoHAsync:
    @Sendable @convention(c) (UnsafeMutableRawPointer, UInt64, Int, UInt) -> Code
  var cuMemcpyDtoDAsync: @Sendable @convention(c) (UInt64, UInt64, Int, UInt) -> Code
  var cuMemsetD8Async: @Sendable @convention(c) (UInt64, UInt8, Int, UInt) -> Code
  /// Nil where the driver has none.
  var cuStreamWaitValue32: (@Sendable @convention(c) (UInt, UInt64, UInt32, UInt32) -> Code)?
  var cuStreamWriteValue32: (@Sendable @convention(c) (UInt, UInt64, UInt32, UInt32) -> Code)?
  var cuLaunchKernel:
    @Sendable @convention(c) (
      UInt, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt,
      Out<UnsafeMutableRawPointer?>?, Out<UnsafeMutableRawPointer?>?
    ) -> Code

  // Events.
  var cuEventCreate: @Sendable @convention(c) (Out<UInt>, UInt32) -> Code
  var cuEventDestroy: @Sendable @convention(c) (UInt) -> Code
  var cuEventRecord: @Sendable @convention(c) (UInt, UInt) -> Code
  var cuEventQuery: @Sendable @convention(c) (UInt) -> Code
  var cuEventSynchronize: @Sendable @convention(c) (UInt) -> Code
  var cuEventElapsedTime: @Sendable @convention(c) (Out<Float>, UInt, UInt) -> Code

  // Kernels.
  var cuModuleLoadDataEx:
    @Sendable @convention(c) (
      Out<UInt>, UnsafeRawPointer, UInt32, Out<Int32>, Out<UnsafeMutableRawPointer?>
    ) -> Code
  var cuModuleGetFunction: @Sendable @convention(c) (Out<UInt>, UInt, UnsafePointer<CChar>) -> Code
  var cuModuleUnload: @Sendable @convention(c) (UInt) -> Code
  var cuFuncSetAttribute: @Sendable @convention(c) (UInt, Int32, Int32) -> Code
  /// Nil in drivers before CUDA 12.4.
  var cuFuncLoad: (@Sendable @convention(c) (UInt) -> Code)?
}

/// Numbers of the driver's interface (CUDA 12.4, `cuda.h`).
enum DriverConstant {
  // CUdevice_attribute.
  static let multiprocessorCount: Int32 = 16
  static let computeCapabilityMajor: Int32 = 75
  static let computeCapabilityMinor: Int32 = 76
  static let readOnlyHostRegister: Int32 = 113

  // Host memory: seen by all contexts, and by kernels.
  static let portable: UInt32 = 1
  static let deviceMapped: UInt32 = 2
  /// Of `cuMemHostRegister` only.
  static let readOnly: UInt32 = 8

  /// A stream that does not wait for the default stream.
  static let nonBlockingStream: UInt32 = 1
  /// An event that is waited for asleep.
  static let blockingEvent: UInt32 = 1
  /// `(int32_t)(*word - value) >= 0`.
  static let waitAtLeast: UInt32 = 0

  // CUjit_option.
  static let errorLogBuffer: Int32 = 5
  static let errorLogByteCount: Int32 = 6

  /// CUfunction_attribute: shared memory that a launch may ask for.
  static let mostDynamicSharedMemory: Int32 = 8
}
