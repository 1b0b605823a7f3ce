/// Why a device did not do what it was asked for.
public enum DeviceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no driver on this machine.
  case noDriver(detail: String)
  /// The driver is older than this program needs.
  case driverTooOld(found: String, needed: String)
  /// The driver knows no device, or not the one asked for.
  case noDevice(asked: Int?, found: Int)
  case outOfMemory(device: String, byteCount: Int, purpose: String)
  case cannotPin(byteCount: Int, purpose: String, reason: String)
  case noKernel(name: String, device: String)
  /// A launch, a copy or another call was refused.
  case refused(operation: String, reason: String)
  /// The device is gone, or its context is: nothing can be computed on it any more.
  case lost(device: String, reason: String)

  public var description: String {
    switch self {
    case .noDriver(let detail):
      "no NVIDIA driver: \(detail); install the driver of the graphics card, or run with --device cpu"
    case .driverTooOld(let found, let needed):
      "the NVIDIA driver supports CUDA \(found), but \(needed) is needed; update the driver, or run with "
        + "--device cpu"
    case .noDevice(let asked, let found):
      if let asked {
        "there is no CUDA device \(asked): the driver knows \(found); choose one below that with --device cuda:N"
      } else {
        "the NVIDIA driver is there, but knows no device; see whether `nvidia-smi` lists one"
      }
    case .outOfMemory(let device, let byteCount, let purpose):
      "\(device) has no room for \(byteCount) bytes of \(purpose)"
    case .cannotPin(let byteCount, let purpose, let reason):
      "cannot pin \(byteCount) bytes of host memory for \(purpose): \(reason)"
    case .noKernel(let name, let device): "\(device) has no kernel \"\(name)\""
    case .refused(let operation, let reason): "\(operation) was refused: \(reason)"
    case .lost(let device, let reason):
      "\(device) is lost (\(reason)); start again, or run with --device cpu"
    }
  }
}
