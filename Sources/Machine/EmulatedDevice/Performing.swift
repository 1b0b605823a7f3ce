import CGPUEmulation
import Devices
import Glibc

extension Emulation {
  /// Does it, on the calling thread, without the lock.
  /// - Returns: why the device is lost by it, if it is.
  func perform(_ operation: Operation, seed: UInt64) -> String? {
    switch operation {
    case .upload(let source, let target):
      memcpy(pointer(target), source.base, source.byteCount)
    case .staged(let bytes, let target):
      bytes.withUnsafeBytes { source in
        if let base = source.baseAddress { memcpy(pointer(target), base, source.count) }
      }
    case .download(let source, let target):
      memcpy(target.base, pointer(source), target.byteCount)
    case .copyOnDevice(let source, let target, let byteCount):
      memmove(pointer(target), pointer(source), byteCount)
    case .clear(let target, let byteCount): memset(pointer(target), 0, byteCount)
    case .launch(let launch): return perform(launch, seed: seed)
    case .write(let value, let word): Words.store(value, to: word)
    case .record, .waitForEvent, .waitForWord: break
    }
    return nil
  }

  /// - Returns: why the device is lost, where a copy's source is no longer what it was when it was submitted.
  func changed(_ submission: Lane.Submission, of lane: Lane) -> String? {
    guard let before = submission.source, let source = submission.operation.hostBytes,
      !before.isEmpty,
      before.withUnsafeBytes({ memcmp($0.baseAddress!, source.base, before.count) }) != 0
    else { return nil }
    return "a copy of stream \"\(lane.name)\" has a source that changed before it had run"
  }

  private func perform(_ launch: Operation.Launch, seed: UInt64) -> String? {
    let grid = [UInt32(launch.grid.x), UInt32(launch.grid.y), UInt32(launch.grid.z)]
    let block = [UInt32(launch.block.x), UInt32(launch.block.y), UInt32(launch.block.z)]
    let code = launch.arguments.withUnsafeBytes {
      gpu_emulate(
        Int32(launch.kernel.handle), grid, block, launch.sharedByteCount, $0.baseAddress, seed)
    }
    guard code != 0 else { return nil }
    return "kernel \(launch.kernel.name): \(String(cString: gpu_emulation_failure()))"
  }

  private func pointer(_ address: UInt64) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: UInt(address))!
  }

  /// A copy that takes longer, where time is real.
  func delay(_ microseconds: Double) {
    let until = realNow + microseconds
    while case let left = until - realNow, left > 0 {
      var time = timespec(
        tv_sec: Int(left / 1e6), tv_nsec: Int(left.truncatingRemainder(dividingBy: 1e6) * 1000))
      nanosleep(&time, nil)
    }
  }
}
