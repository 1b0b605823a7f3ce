import Devices

/// A result code of the driver (CUresult) that is not success, with the driver's words for it.
struct DriverResult: Sendable, Equatable {
  let code: Int32
  /// Such as `CUDA_ERROR_ILLEGAL_ADDRESS`.
  let name: String
  /// Such as "an illegal memory access was encountered"; may be empty.
  let text: String

  init(_ code: Int32, _ library: DriverLibrary) {
    self.code = code
    var name: UnsafePointer<CChar>?
    var text: UnsafePointer<CChar>?
    let hasName = library.cuGetErrorName(code, &name) == 0
    let hasText = library.cuGetErrorString(code, &text) == 0
    self.name = hasName ? name.map { String(cString: $0) } ?? "error \(code)" : "error \(code)"
    self.text = hasText ? text.map { String(cString: $0) } ?? "" : ""
  }

  var description: String { text.isEmpty ? name : "\(name), \(text)" }

  static let success: Int32 = 0
  static let outOfMemory: Int32 = 2
  static let stubLibrary: Int32 = 34
  static let noDevice: Int32 = 100
  static let notReady: Int32 = 600

  /// Whether nothing can be done in the context any more: the driver says of these that the process must
  /// be ended to go on, or that the device or its context has gone, and gives them again at every call.
  static func isSticky(_ code: Int32) -> Bool {
    switch code {
    // Taken away: deinitialised, device unavailable, context destroyed.
    case 4, 46, 709: true
    // Memory or link failed: uncorrectable ECC and NVLink errors.
    case 214, 220: true
    // A kernel did what it must not: illegal address, time limit, assertion, hardware stack, illegal
    // instruction, misaligned address, address space, program counter, launch failure.
    case 700, 702, 710, 714...719: true
    // The server that shares the device has ended.
    case 806, 810: true
    // An external device failed; nobody knows.
    case 911, 999: true
    default: false
    }
  }
}
