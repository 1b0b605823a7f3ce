import Devices
import Glibc
import HostMemory

/// Device memory and pinned memory, with their limits and injected failures.
extension Emulation {
  func allocate(byteCount: Int, purpose: String) throws(DeviceError) -> EmulatedHeap.Block {
    try locked { () throws(DeviceError) in
      allocations += 1
      var limit = configuration.memoryByteCount
      for failure in configuration.failures {
        switch failure {
        case .allocation(allocations): limit = -1
        case .allocationsBeyond(let byteCount): limit = min(limit, byteCount)
        default: break
        }
      }
      guard byteCount <= limit - heap.usedByteCount,
        let block = try? heap.allocate(byteCount: byteCount, purpose: purpose)
      else {
        throw .outOfMemory(device: configuration.name, byteCount: byteCount, purpose: purpose)
      }
      return block
    }
  }

  /// At once: what still uses the memory meets ones.
  func free(_ address: UInt64) {
    monitor.lock()
    defer { monitor.unlock() }
    // What runs now was submitted in time; a driver lets it end.
    while running > 0 { monitor.wait() }
    if let wrong = heap.free(address) { lose(wrong) }
  }

  func pin(byteCount: Int, purpose: String, at address: UInt64) throws(DeviceError) {
    try locked { () throws(DeviceError) in
      try reservePinned(byteCount, purpose)
      pinnedPurposes[address] = purpose
    }
  }

  func allocatePinned(byteCount: Int, purpose: String) throws(DeviceError) -> AlignedBuffer {
    try locked { () throws(DeviceError) in
      try reservePinned(byteCount, purpose)
      do {
        let buffer = try AlignedBuffer(byteCount: byteCount, purpose: purpose)
        if configuration.checksMemory {
          memset(buffer.base, Int32(EmulatedHeap.emptyByte), byteCount)
        }
        pinnedPurposes[UInt64(UInt(bitPattern: buffer.base))] = purpose
        return buffer
      } catch {
        pinnedByteCount -= byteCount
        throw .cannotPin(byteCount: byteCount, purpose: purpose, reason: "\(error)")
      }
    }
  }

  private func reservePinned(_ byteCount: Int, _ purpose: String) throws(DeviceError) {
    var limit = configuration.pinnedByteCount
    for case .pinningBeyond(let byteCount) in configuration.failures {
      limit = min(limit, byteCount)
    }
    guard byteCount <= limit - pinnedByteCount else {
      throw .cannotPin(
        byteCount: byteCount, purpose: purpose,
        reason: "\(limit) bytes can be pinned, \(pinnedByteCount) are")
    }
    pinnedByteCount += byteCount
  }

  func unpin(_ address: UInt64, byteCount: Int) {
    monitor.lock()
    defer { monitor.unlock() }
    pinnedByteCount -= byteCount
    let purpose = pinnedPurposes.removeValue(forKey: address) ?? "pinned memory"
    guard configuration.checksMemory,
      let lane = lanes.first(where: { $0.uses(address, byteCount: byteCount) })
    else { return }
    lose("\(purpose) was given back before a copy of stream \"\(lane.name)\" that uses it had run")
  }
}
