import Devices
import Glibc

extension DriverLibrary {
  /// Where the driver's library is looked for: by name where the system looks, then where WSL 2, NixOS and
  /// containers put it without telling the system.
  static let names = [
    "libcuda.so.1", "libcuda.so", "/usr/lib/wsl/lib/libcuda.so.1",
    "/run/opengl-driver/lib/libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1",
  ]

  /// Opens the driver's library. It stays open: the driver does not expect to be unloaded.
  /// - Throws: `DeviceError.noDriver`, also where a library of that name is none; `.driverTooOld` where it
  ///   lacks a function.
  static func open(names: [String] = names) throws(DeviceError) -> DriverLibrary {
    var reasons: [String] = []
    for name in names {
      guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
        reasons.append(dlerror().map { String(cString: $0) } ?? "\(name) cannot be opened")
        continue
      }
      let symbols = DriverSymbols(handle: UInt(bitPattern: handle))
      if symbols.isDriver { return try DriverLibrary(symbols) }
      dlclose(handle)
      reasons.append("\(name) is no NVIDIA driver (it has no cuInit)")
    }
    // The first name's reason is the one that helps: the others are only tried.
    throw .noDriver(detail: reasons.first ?? "no name to look for")
  }

  private init(_ symbols: DriverSymbols) throws(DeviceError) {
    cuInit = try symbols.function("cuInit")
    cuDriverGetVersion = try symbols.function("cuDriverGetVersion")
    cuGetErrorName = try symbols.function("cuGetErrorName")
    cuGetErrorString = try symbols.function("cuGetErrorString")
    cuDeviceGetCount = try symbols.function("cuDeviceGetCount")
    cuDeviceGet = try symbols.function("cuDeviceGet")
    cuDeviceGetName = try symbols.function("cuDeviceGetName")
    cuDeviceTotalMem = try symbols.function("cuDeviceTotalMem_v2")
    cuDeviceGetAttribute = try symbols.function("cuDeviceGetAttribute")
    cuDevicePrimaryCtxRetain = try symbols.function("cuDevicePrimaryCtxRetain")
    cuDevicePrimaryCtxRelease = try symbols.function("cuDevicePrimaryCtxRelease_v2")
    cuCtxSetCurrent = try symbols.function("cuCtxSetCurrent")
    cuCtxSynchronize = try symbols.function("cuCtxSynchronize")
    cuMemGetInfo = try symbols.function("cuMemGetInfo_v2")
    cuMemAlloc = try symbols.function("cuMemAlloc_v2")
    cuMemFree = try symbols.function("cuMemFree_v2")
    cuMemHostAlloc = try symbols.function("cuMemHostAlloc")
    cuMemFreeHost = try symbols.function("cuMemFreeHost")
    cuMemHostGetDevicePointer = try symbols.function("cuMemHostGetDevicePointer_v2")
    cuMemHostRegister = try symbols.function("cuMemHostRegister_v2")
    cuMemHostUnregister = try symbols.function("cuMemHostUnregister")
    cuStreamCreate = try symbols.function("cuStreamCreate")
    cuStreamDestroy = try symbols.function("cuStreamDestroy_v2")
    cuStreamSynchronize = try symbols.function("cuStreamSynchronize")
    cuStreamQuery = try symbols.function("cuStreamQuery")
    cuStreamWaitEvent = try symbols.function("cuStreamWaitEvent")
    cuMemcpyHtoDAsync = try symbols.function("cuMemcpyHtoDAsync_v2")
    cuMemcpyDtoHAsync = try symbols.function("cuMemcpyDtoHAsync_v2")
    cuMemcpyDtoDAsync = try symbols.function("cuMemcpyDtoDAsync_v2")
    cuMemsetD8Async = try symbols.function("cuMemsetD8Async")
    cuStreamWaitValue32 = symbols.optional("cuStreamWaitValue32_v2")
    cuStreamWriteValue32 = symbols.optional("cuStreamWriteValue32_v2")
    cuLaunchKernel = try symbols.function("cuLaunchKernel")
    cuEventCreate = try symbols.function("cuEventCreate")
    cuEventDestroy = try symbols.function("cuEventDestroy_v2")
    cuEventRecord = try symbols.function("cuEventRecord")
    cuEventQuery = try symbols.function("cuEventQuery")
    cuEventSynchronize = try symbols.function("cuEventSynchronize")
    cuEventElapsedTime = try symbols.function("cuEventElapsedTime")
    cuModuleLoadDataEx = try symbols.function("cuModuleLoadDataEx")
    cuModuleGetFunction = try symbols.function("cuModuleGetFunction")
    cuModuleUnload = try symbols.function("cuModuleUnload")
    cuFuncSetAttribute = try symbols.function("cuFuncSetAttribute")
    cuFuncLoad = symbols.optional("cuFuncLoad")
  }
}

/// An open library.
private struct DriverSymbols {
  /// What `dlopen` gave.
  let handle: UInt

  /// - Parameter Function: a C function type, as the documentation has it.
  func optional<Function>(_ name: String) -> Function? {
    // Safety: the caller's type is the function's own.
    dlsym(UnsafeMutableRawPointer(bitPattern: handle), name).map {
      unsafeBitCast($0, to: Function.self)
    }
  }

  /// Whether it is any version of the driver.
  var isDriver: Bool { dlsym(UnsafeMutableRawPointer(bitPattern: handle), "cuInit") != nil }

  /// What it says of itself.
  private var version: String? {
    let ask: (@convention(c) (UnsafeMutablePointer<Int32>) -> Int32)? = optional(
      "cuDriverGetVersion")
    var code: Int32 = 0
    guard let ask, ask(&code) == DriverResult.success else { return nil }
    return DriverVersion(code: code).text
  }

  func function<Function>(_ name: String) throws(DeviceError) -> Function {
    guard let function: Function = optional(name) else {
      throw .driverTooOld(
        found: "\(version ?? "of an unknown version") (it has no \(name))",
        needed: DriverVersion.needed.text)
    }
    return function
  }
}
