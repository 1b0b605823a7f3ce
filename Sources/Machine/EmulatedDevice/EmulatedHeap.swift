import Glibc
import HostMemory

/// Device memory: host memory of its own, with bytes before and behind every allocation that nobody may write.
struct EmulatedHeap {
  struct Block {
    var buffer: AlignedBuffer
    var byteCount: Int
    var purpose: String
    var address: UInt64 { UInt64(UInt(bitPattern: buffer.base)) + UInt64(EmulatedHeap.guardCount) }
  }

  /// So that an address is a multiple of 256, and as a rule of nothing more.
  static let guardCount = 256
  private static let guardByte: UInt8 = 0xc5
  /// NaN as F32 and F16, -1 as an index: what was never written shows.
  static let emptyByte: UInt8 = 0xff
  /// Freed memory stays away for a while, so that late readers and writers meet nothing else there.
  private static let most = (blocks: 256, bytes: 16 << 20)

  let checks: Bool
  private(set) var usedByteCount = 0
  /// By address.
  private var live: [Block] = []
  private var freed: [Block] = []
  private var freedByteCount = 0

  init(checks: Bool) { self.checks = checks }

  mutating func allocate(byteCount: Int, purpose: String) throws(HostMemoryError) -> Block {
    let whole = byteCount + 2 * EmulatedHeap.guardCount
    let block = Block(
      buffer: try AlignedBuffer(byteCount: whole, purpose: purpose), byteCount: byteCount,
      purpose: purpose)
    if checks {
      memset(block.buffer.base, Int32(EmulatedHeap.guardByte), whole)
      memset(
        block.buffer.base + EmulatedHeap.guardCount, Int32(EmulatedHeap.emptyByte), byteCount)
    }
    live.insert(block, at: place(of: block.address))
    usedByteCount += byteCount
    return block
  }

  /// - Returns: what is wrong with it or with what was freed before, if anything is.
  mutating func free(_ address: UInt64) -> String? {
    let at = place(of: address)
    precondition(at < live.count && live[at].address == address, "freed memory that is not there")
    let block = live.remove(at: at)
    usedByteCount -= block.byteCount
    guard checks else { return nil }
    var wrong = EmulatedHeap.wrongEnds(of: block)
    memset(
      block.buffer.base + EmulatedHeap.guardCount, Int32(EmulatedHeap.emptyByte), block.byteCount)
    freed.append(block)
    freedByteCount += block.byteCount
    while freed.count > EmulatedHeap.most.blocks || freedByteCount > EmulatedHeap.most.bytes {
      let oldest = freed.removeFirst()
      freedByteCount -= oldest.byteCount
      wrong = wrong ?? EmulatedHeap.wrongContent(ofFreed: oldest)
    }
    return wrong
  }

  /// - Returns: what was written where nothing may be written, if anything was.
  func wrongWrites() -> String? {
    guard checks else { return nil }
    for block in live {
      if let wrong = EmulatedHeap.wrongEnds(of: block) { return wrong }
    }
    for block in freed {
      if let wrong = EmulatedHeap.wrongContent(ofFreed: block) { return wrong }
    }
    return nil
  }

  /// The allocation in which these bytes lie.
  func block(of address: UInt64, byteCount: Int) -> Block? {
    let at = place(of: address + 1) - 1
    guard at >= 0, byteCount >= 0 else { return nil }
    let block = live[at]
    guard Int(address - block.address) <= block.byteCount - byteCount else { return nil }
    return block
  }

  /// How many allocations lie below an address.
  private func place(of address: UInt64) -> Int {
    var (low, high) = (0, live.count)
    while low < high {
      let middle = (low + high) / 2
      if live[middle].address < address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func wrongEnds(of block: Block) -> String? {
    let start = block.buffer.base
    if !all(start, guardCount, are: guardByte) {
      return "bytes before the beginning of \(block.purpose) were written"
    }
    if !all(start + guardCount + block.byteCount, guardCount, are: guardByte) {
      return "bytes behind the end of \(block.purpose) (\(block.byteCount) bytes) were written"
    }
    return nil
  }

  private static func wrongContent(ofFreed block: Block) -> String? {
    all(block.buffer.base + guardCount, block.byteCount, are: emptyByte)
      ? wrongEnds(of: block) : "\(block.purpose) was written after it was freed"
  }

  private static func all(
    _ bytes: UnsafeMutableRawPointer, _ count: Int, are byte: UInt8
  ) -> Bool {
    guard count > 0 else { return true }
    return bytes.load(as: UInt8.self) == byte && memcmp(bytes, bytes + 1, count - 1) == 0
  }
}
