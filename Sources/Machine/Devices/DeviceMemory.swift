import CSystemCalls

/// Memory of a device. It is freed when its last reference goes.
// Safety: immutable; `release` is called once.
public final class DeviceMemory: @unchecked Sendable {
  public let address: UInt64
  public let byteCount: Int
  private let release: () -> Void

  public init(address: UInt64, byteCount: Int, release: @escaping () -> Void) {
    self.address = address
    self.byteCount = byteCount
    self.release = release
  }

  deinit { release() }
}

/// Host memory that the device reads and writes directly.
// Safety: the bytes are shared on purpose; whoever uses them keeps order by streams, events and words.
public final class PinnedMemory: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  /// Where kernels see the same bytes.
  public let deviceAddress: UInt64
  public let byteCount: Int
  private let release: () -> Void

  public init(
    base: UnsafeMutableRawPointer, deviceAddress: UInt64, byteCount: Int,
    release: @escaping () -> Void
  ) {
    self.base = base
    self.deviceAddress = deviceAddress
    self.byteCount = byteCount
    self.release = release
  }

  deinit { release() }

  /// Some bytes of it.
  public func span(_ offset: Int, byteCount: Int) -> PinnedSpan {
    precondition(offset >= 0 && byteCount >= 0 && offset + byteCount <= self.byteCount)
    return PinnedSpan(memory: self, offset: offset, byteCount: byteCount)
  }

  /// One word of it, 4-aligned.
  public func word(at offset: Int) -> PinnedWord {
    precondition(offset >= 0 && offset + 4 <= byteCount && offset % 4 == 0)
    return PinnedWord(memory: self, offset: offset)
  }
}

/// Bytes of pinned memory.
public struct PinnedSpan: Sendable {
  public let memory: PinnedMemory
  public let offset: Int
  public let byteCount: Int

  public var base: UnsafeMutableRawPointer { memory.base + offset }
  public var deviceAddress: UInt64 { memory.deviceAddress + UInt64(offset) }
}

/// A word of pinned memory through which host and streams tell each other how far they are.
public struct PinnedWord: Sendable {
  public let memory: PinnedMemory
  public let offset: Int

  public var base: UnsafeMutablePointer<UInt32> {
    (memory.base + offset).assumingMemoryBound(to: UInt32.self)
  }
  public var deviceAddress: UInt64 { memory.deviceAddress + UInt64(offset) }

  /// What it is now; all that was written before it is visible afterwards.
  public func load() -> UInt32 { csc_load_acquiring(base) }

  /// Writes it; all that was written before is visible with it.
  public func store(_ value: UInt32) { csc_store_releasing(base, value) }

  /// Whether it is at least `value`, as sequence numbers compare: less than half the numbers' range ahead.
  public func hasReached(_ value: UInt32) -> Bool { Int32(bitPattern: load() &- value) >= 0 }
}
