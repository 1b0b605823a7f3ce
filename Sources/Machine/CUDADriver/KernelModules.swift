import Devices
import Synchronization

/// The kernels of this program on one device: each file is compiled by the driver when its first kernel is
/// asked for (the driver keeps what it compiled in a cache of its own, `~/.nv/ComputeCache`).
final class KernelModules: Sendable {
  private struct Loaded {
    /// Modules by the number of their file.
    var modules: [Int: UInt] = [:]
    var kernels: [String: DeviceKernel] = [:]
    /// Shared memory that kernels may ask for, where it is more than a launch may have by itself.
    var sharedByteCounts: [UInt: Int] = [:]
  }

  /// What a launch may have of shared memory without asking before.
  private static let freeSharedByteCount = 48 << 10
  private static let logByteCount = 8192

  private let context: CUDAContext
  private let files: [PTXFile]
  private let loaded = Mutex(Loaded())

  init(_ context: CUDAContext, files: [PTXFile]) {
    self.context = context
    self.files = files
  }

  deinit {
    for module in loaded.withLock({ $0.modules.values }) {
      context.release { $0.cuModuleUnload(module) }
    }
  }

  /// Finds a kernel and brings it to the device, which may wait for all streams: to be called before any of
  /// them waits for the host.
  /// - Throws: `DeviceError.noKernel`, `.refused` with the compiler's words.
  func kernel(_ name: String) throws(DeviceError) -> DeviceKernel {
    let (context, files) = (context, files)
    return try loaded.withLock { loaded throws(DeviceError) in
      if let kernel = loaded.kernels[name] { return kernel }
      guard let file = files.firstIndex(where: { $0.kernels.contains(name) }) else {
        throw .noKernel(name: name, device: context.name)
      }
      let module: UInt
      if let known = loaded.modules[file] {
        module = known
      } else {
        module = try Self.load(files[file], context)
        loaded.modules[file] = module
      }
      var function: UInt = 0
      try context.call("finding the kernel \(name)") {
        $0.cuModuleGetFunction(&function, module, name)
      }
      // The driver may put off bringing code to the device until the first launch, and waits for all streams
      // then. Before 12.4 the function above has done it.
      if let load = context.library.cuFuncLoad {
        try context.call("loading the kernel \(name)") { _ in load(function) }
      }
      let kernel = DeviceKernel(name: name, handle: function)
      loaded.kernels[name] = kernel
      return kernel
    }
  }

  private static func load(_ file: PTXFile, _ context: CUDAContext) throws(DeviceError) -> UInt {
    var module: UInt = 0
    var log = [CChar](repeating: 0, count: logByteCount)
    let code = try context.code { library in
      log.withUnsafeMutableBufferPointer { log in
        var options = [DriverConstant.errorLogBuffer, DriverConstant.errorLogByteCount]
        // A value that is a number stands in the place of the pointer.
        var values = [
          UnsafeMutableRawPointer(log.baseAddress), UnsafeMutableRawPointer(bitPattern: log.count),
        ]
        return library.cuModuleLoadDataEx(
          &module, file.text, UInt32(options.count), &options, &values)
      }
    }
    if code == DriverResult.success { return module }
    if code == DriverResult.outOfMemory {
      throw .outOfMemory(
        device: context.name, byteCount: file.text.count, purpose: "the kernels of \(file.name)")
    }
    let words = log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let text = String(decoding: words, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "; ")
    let reason = DriverResult(code, context.library).description
    throw .refused(
      operation: "compiling the kernels of \(file.name) for \(context.name)",
      reason: text.isEmpty ? reason : "\(reason): \(text)")
  }

  /// Lets a kernel be launched with so much shared memory.
  /// - Throws: `DeviceError.refused` where the device has less.
  func prepare(_ kernel: DeviceKernel, sharedByteCount: Int) throws(DeviceError) {
    guard sharedByteCount > Self.freeSharedByteCount else { return }
    let context = context
    try loaded.withLock { loaded throws(DeviceError) in
      guard loaded.sharedByteCounts[kernel.handle, default: 0] < sharedByteCount else { return }
      try context.call("giving \(kernel.name) \(sharedByteCount) bytes of shared memory") {
        $0.cuFuncSetAttribute(
          kernel.handle, DriverConstant.mostDynamicSharedMemory, Int32(sharedByteCount))
      }
      loaded.sharedByteCounts[kernel.handle] = sharedByteCount
    }
  }
}
