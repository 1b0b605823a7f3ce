import Devices
import Glibc

extension CUDADevice {
  public func allocatePinned(byteCount: Int, purpose: String) throws(DeviceError) -> PinnedMemory {
    var base: UnsafeMutableRawPointer?
    let flags = DriverConstant.portable | DriverConstant.deviceMapped
    let code = try context.code { $0.cuMemHostAlloc(&base, max(1, byteCount), flags) }
    guard code == DriverResult.success, let base else {
      throw cannotPin(byteCount, purpose, code)
    }
    let release = { [context] in context.release { $0.cuMemFreeHost(base) } }
    return try mapped(base, byteCount: byteCount, purpose: purpose, release: release)
  }

  public func pin(_ base: UnsafeMutableRawPointer, byteCount: Int) throws(DeviceError)
    -> PinnedMemory
  {
    let purpose = "copies"
    let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
    guard UInt(bitPattern: base) % page == 0, byteCount > 0 else {
      throw .cannotPin(
        byteCount: byteCount, purpose: purpose, reason: "it does not begin with a page or is empty")
    }
    let flags = DriverConstant.portable | DriverConstant.deviceMapped
    var code = try context.code { $0.cuMemHostRegister(base, byteCount, flags) }
    if code != DriverResult.success, code != DriverResult.outOfMemory, pinsReadOnly {
      // Memory that this process may only read, such as a mapped file, must be pinned as such.
      code = try context.code {
        $0.cuMemHostRegister(base, byteCount, flags | DriverConstant.readOnly)
      }
    }
    guard code == DriverResult.success else { throw cannotPin(byteCount, purpose, code) }
    let release = { [context] in context.release { $0.cuMemHostUnregister(base) } }
    return try mapped(base, byteCount: byteCount, purpose: purpose, release: release)
  }

  private func mapped(
    _ base: UnsafeMutableRawPointer, byteCount: Int, purpose: String,
    release: @escaping () -> Void
  ) throws(DeviceError) -> PinnedMemory {
    var address: UInt64 = 0
    do throws(DeviceError) {
      let code = try context.code { $0.cuMemHostGetDevicePointer(&address, base, 0) }
      guard code == DriverResult.success else { throw cannotPin(byteCount, purpose, code) }
    } catch {
      release()
      throw error
    }
    return PinnedMemory(
      base: base, deviceAddress: address, byteCount: byteCount, release: release)
  }

  private func cannotPin(_ byteCount: Int, _ purpose: String, _ code: Int32) -> DeviceError {
    .cannotPin(
      byteCount: byteCount, purpose: purpose,
      reason: DriverResult(code, context.library).description)
  }
}
