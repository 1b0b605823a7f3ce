import Glibc
import Synchronization

@testable import CUDADriver

/// A driver without a device: its streams do at once what they are told, in host memory. What it does wrong is set by
/// the tests, which run one after the other.
enum FakeDriver {
  struct State {
    var versionCode: Int32 = 12040
    var deviceCount: Int32 = 1
    var memoryByteCount = 1 << 20
    var capability: (major: Int32, minor: Int32) = (8, 9)
    var pinsReadOnly = false
    /// Codes that functions return instead of doing anything.
    var failures: [String: Int32] = [:]
    /// A code that every call returns once something was launched.
    var codeAfterLaunch: Int32?
    /// How often events are not reached yet when asked for.
    var unreachedCount = 0
    /// What the compiler says of a text.
    var compilerWords = ""
    /// Calls in their order, by name.
    var calls: [String] = []
    /// Calls on threads that had no context.
    var homeless: [String] = []
    var launches: [(kernel: UInt, grid: [UInt32], shared: UInt32, firstBytes: UInt64)] = []
    var hostFlags: [UInt32] = []
    var eventFlags: [UInt32] = []

    fileprivate var isBroken = false
    fileprivate var allocated = 0
    fileprivate var blocks: [UInt64: Int] = [:]
    fileprivate var contexts: Set<UInt> = []
    fileprivate var handles: Set<UInt> = []
    fileprivate var nextHandle: UInt = 0x1000
    fileprivate var microseconds = 0.0
    fileprivate var events: [UInt: Double] = [:]

    fileprivate var contextCount = 0

    /// Contexts, streams, events, modules and blocks that were not given back.
    var livingCount: Int { contextCount + handles.count + blocks.count }

    func count(_ name: String) -> Int { calls.count { $0 == name } }

    fileprivate mutating func handle(_ out: UnsafeMutablePointer<UInt>) -> Int32 {
      nextHandle += 1
      handles.insert(nextHandle)
      out.pointee = nextHandle
      return 0
    }

    fileprivate mutating func give(_ handle: UInt) -> Int32 {
      handles.remove(handle) == nil ? 400 : 0
    }
  }

  private static let state = Mutex(State())

  static func set(_ state: State = State()) { Self.state.withLock { $0 = state } }
  static func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
  static var now: State { state.withLock { $0 } }

  /// A call of the driver.
  /// - Parameter needsContext: whether it is refused on a thread without a context.
  private static func call(
    _ name: String, needsContext: Bool = true, _ body: (inout State) -> Int32
  ) -> Int32 {
    state.withLock { state in
      state.calls.append(name)
      if let code = state.failures[name] { return code }
      if needsContext, state.isBroken, let code = state.codeAfterLaunch { return code }
      if needsContext, !state.contexts.contains(UInt(pthread_self())) {
        state.homeless.append(name)
        return 201
      }
      return body(&state)
    }
  }

  private static func error(
    _ code: Int32, _ out: UnsafeMutablePointer<UnsafePointer<CChar>?>,
    _ texts: [Int32: StaticString]
  ) -> Int32 {
    guard let text = texts[code] else { return 1 }
    out.pointee = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    return 0
  }

  // Safety: the tests' addresses are memory of `cuMemAlloc` below.
  private static func pointer(_ address: UInt64) -> UnsafeMutableRawPointer {
    guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
      fatalError("an address that was never given out")
    }
    return pointer
  }
}

extension FakeDriver {
  static let library = DriverLibrary(
    cuInit: { _ in call("cuInit", needsContext: false) { _ in 0 } },
    cuDriverGetVersion: { out in
      call("cuDriverGetVersion", needsContext: false) {
        out.pointee = $0.versionCode
        return 0
      }
    },
    cuGetErrorName: { code, out in
      error(
        code, out,
        [
          2: "CUDA_ERROR_OUT_OF_MEMORY", 218: "CUDA_ERROR_INVALID_PTX",
          700: "CUDA_ERROR_ILLEGAL_ADDRESS",
          801: "CUDA_ERROR_NOT_SUPPORTED",
        ])
    },
    cuGetErrorString: { code, out in
      error(code, out, [2: "out of memory", 700: "an illegal memory access was encountered"])
    },
    cuDeviceGetCount: { out in
      call("cuDeviceGetCount", needsContext: false) {
        out.pointee = $0.deviceCount
        return 0
      }
    },
    cuDeviceGet: { out, index in
      call("cuDeviceGet", needsContext: false) { _ in
        out.pointee = index + 7
        return 0
      }
    },
    cuDeviceGetName: { out, length, number in
      call("cuDeviceGetName", needsContext: false) { _ in
        for (index, character) in "Fake \(number)\0".utf8.enumerated() where index < length {
          out[index] = CChar(bitPattern: character)
        }
        return 0
      }
    },
    cuDeviceTotalMem: { out, _ in
      call("cuDeviceTotalMem", needsContext: false) {
        out.pointee = $0.memoryByteCount
        return 0
      }
    },
    cuDeviceGetAttribute: { out, attribute, _ in
      call("cuDeviceGetAttribute", needsContext: false) {
        out.pointee =
          switch attribute {
          case 16: 46
          case 75: $0.capability.major
          case 76: $0.capability.minor
          case 113: $0.pinsReadOnly ? 1 : 0
          default: -1
          }
        return 0
      }
    },
    cuDevicePrimaryCtxRetain: { out, _ in
      call("cuDevicePrimaryCtxRetain", needsContext: false) {
        $0.contextCount += 1
        out.pointee = 0xC0
        return 0
      }
    },
    cuDevicePrimaryCtxRelease: { _ in
      call("cuDevicePrimaryCtxRelease", needsContext: false) {
        $0.contextCount -= 1
        return 0
      }
    },
    cuCtxSetCurrent: { context in
      call("cuCtxSetCurrent", needsContext: false) {
        guard context == 0xC0 else { return 201 }
        $0.contexts.insert(UInt(pthread_self()))
        return 0
      }
    },
    cuCtxSynchronize: { call("cuCtxSynchronize") { _ in 0 } },
    cuMemGetInfo: { free, total in
      call("cuMemGetInfo") {
        free.pointee = $0.memoryByteCount - $0.allocated
        total.pointee = $0.memoryByteCount
        return 0
      }
    },
    cuMemAlloc: { out, byteCount in
      call("cuMemAlloc") {
        guard byteCount > 0 else { return 1 }
        guard byteCount <= $0.memoryByteCount - $0.allocated else { return 2 }
        guard let base = aligned_alloc(256, (byteCount + 255) / 256 * 256) else { return 2 }
        out.pointee = UInt64(UInt(bitPattern: base))
        $0.allocated += byteCount
        $0.blocks[out.pointee] = byteCount
        return 0
      }
    },
    cuMemFree: { address in
      call("cuMemFree") {
        guard let byteCount = $0.blocks.removeValue(forKey: address) else { return 1 }
        $0.allocated -= byteCount
        free(pointer(address))
        return 0
      }
    },
    cuMemHostAlloc: { out, byteCount, flags in
      call("cuMemHostAlloc") {
        $0.hostFlags.append(flags)
        out.pointee = aligned_alloc(4096, (byteCount + 4095) / 4096 * 4096)
        return 0
      }
    },
    cuMemFreeHost: { base in
      call("cuMemFreeHost") { _ in
        free(base)
        return 0
      }
    },
    cuMemHostGetDevicePointer: { out, base, _ in
      call("cuMemHostGetDevicePointer") { _ in
        out.pointee = UInt64(UInt(bitPattern: base))
        return 0
      }
    },
    cuMemHostRegister: { _, _, flags in
      call("cuMemHostRegister") {
        $0.hostFlags.append(flags)
        return $0.pinsReadOnly && flags & 8 == 0 ? 1 : 0
      }
    },
    cuMemHostUnregister: { _ in call("cuMemHostUnregister") { _ in 0 } },
    cuStreamCreate: { out, flags in
      call("cuStreamCreate") { flags == 1 ? $0.handle(out) : 1 }
    },
    cuStreamDestroy: { stream in call("cuStreamDestroy") { $0.give(stream) } },
    cuStreamSynchronize: { _ in call("cuStreamSynchronize") { _ in 0 } },
    cuStreamQuery: { _ in call("cuStreamQuery") { _ in 0 } },
    cuStreamWaitEvent: { _, _, _ in call("cuStreamWaitEvent") { _ in 0 } },
    cuMemcpyHtoDAsync: { target, source, byteCount, _ in
      call("cuMemcpyHtoDAsync") { _ in
        memcpy(pointer(target), source, byteCount)
        return 0
      }
    },
    cuMemcpyDtoHAsync: { target, source, byteCount, _ in
      call("cuMemcpyDtoHAsync") { _ in
        memcpy(target, pointer(source), byteCount)
        return 0
      }
    },
    cuMemcpyDtoDAsync: { target, source, byteCount, _ in
      call("cuMemcpyDtoDAsync") { _ in
        memcpy(pointer(target), pointer(source), byteCount)
        return 0
      }
    },
    cuMemsetD8Async: { target, value, byteCount, _ in
      call("cuMemsetD8Async") { _ in
        memset(pointer(target), Int32(value), byteCount)
        return 0
      }
    },
    cuStreamWaitValue32: { _, address, value, flags in
      call("cuStreamWaitValue32") { _ in
        let word = pointer(address).load(as: UInt32.self)
        // A stream that really waited would never go on here.
        return flags == 0 && Int32(bitPattern: word &- value) >= 0 ? 0 : 999
      }
    },
    cuStreamWriteValue32: { _, address, value, _ in
      call("cuStreamWriteValue32") { _ in
        pointer(address).storeBytes(of: value, as: UInt32.self)
        return 0
      }
    },
    cuLaunchKernel: { kernel, x, y, z, blockX, blockY, blockZ, shared, _, parameters, extra in
      call("cuLaunchKernel") { state in
        guard extra == nil, let argument = parameters?[0] else { return 1 }
        state.launches.append(
          (
            kernel, [x, y, z, blockX, blockY, blockZ], shared,
            argument.loadUnaligned(as: UInt64.self)
          ))
        state.isBroken = true
        return 0
      }
    },
    cuEventCreate: { out, flags in
      call("cuEventCreate") {
        $0.eventFlags.append(flags)
        return $0.handle(out)
      }
    },
    cuEventDestroy: { event in
      call("cuEventDestroy") {
        $0.events[event] = nil
        return $0.give(event)
      }
    },
    cuEventRecord: { event, _ in
      call("cuEventRecord") {
        $0.microseconds += 250
        $0.events[event] = $0.microseconds
        return 0
      }
    },
    cuEventQuery: { _ in
      call("cuEventQuery") {
        guard $0.unreachedCount > 0 else { return 0 }
        $0.unreachedCount -= 1
        return 600
      }
    },
    cuEventSynchronize: { _ in call("cuEventSynchronize") { _ in 0 } },
    cuEventElapsedTime: { out, first, second in
      call("cuEventElapsedTime") {
        guard let first = $0.events[first], let second = $0.events[second] else { return 400 }
        out.pointee = Float((second - first) * 1e-3)
        return 0
      }
    },
    cuModuleLoadDataEx: { out, text, count, options, values in
      call("cuModuleLoadDataEx") { state in
        let text = String(cString: text.assumingMemoryBound(to: CChar.self))
        guard count == 2, options[0] == 5, options[1] == 6, let log = values[0] else { return 1 }
        let room = Int(bitPattern: values[1])
        guard !text.contains("broken") else {
          let words = Array(state.compilerWords.utf8.prefix(room - 1)) + [0]
          log.copyMemory(from: words, byteCount: words.count)
          return 218
        }
        return state.handle(out)
      }
    },
    cuModuleGetFunction: { out, module, name in
      call("cuModuleGetFunction") { _ in
        out.pointee = module << 8 | UInt(strlen(name))
        return 0
      }
    },
    cuModuleUnload: { module in call("cuModuleUnload") { $0.give(module) } },
    cuFuncSetAttribute: { _, attribute, _ in
      call("cuFuncSetAttribute") { _ in attribute == 8 ? 0 : 1 }
    },
    cuFuncLoad: { _ in call("cuFuncLoad") { _ in 0 } })

  static let text = """
    .version 8.1
    .target sm_75
    .address_size 64
    .visible .entry first(
      .param .align 8 .b8 first_param_0[16]
    )
    { ret; }
    .visible .entry second(.param .u64 x) { ret; }
    """

  static func files(_ texts: String...) -> [PTXFile] {
    texts.enumerated().map { index, text in
      PTXFile(name: "file\(index)", text: text.utf8.map { CChar(bitPattern: $0) })
    }
  }

  static func device(_ texts: String = text, _ library: DriverLibrary = library) throws
    -> CUDADevice
  {
    try CUDADevice(index: 0, Driver(library, files: files(texts)))
  }
}
