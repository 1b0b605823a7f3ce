import CKernels
import Glibc
import HostMemory
import Synchronization

/// Memory for the packed copies of a model's weights: tiles of sixteen interleaved rows, the layout that
/// the products read fastest (`Docs/ARITHMETIC.md`).
///
/// A matrix is packed when it is first multiplied, so that the first token does not wait for the whole
/// file, and the mapped pages of its native rows are given back: one copy of the weights is resident.
/// Address space for all of them is reserved at once, in huge pages where the system has them, and paid
/// for as it fills.
// Safety: `next` is guarded by `lock`; memory handed out is never moved or taken back.
public final class PackedStore: @unchecked Sendable {
  private let memory: AlignedBuffer
  private let lock = Mutex(0)
  /// Whether native rows lie in mapped files, whose pages may be given back.
  let givesBackNativePages: Bool

  /// - Parameters:
  ///   - capacityBytes: the packed size of all matrices, or more.
  ///   - givesBackNativePages: whether native rows are in mapped files and nowhere else.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(capacityBytes: Int, givesBackNativePages: Bool) throws(HostMemoryError) {
    memory = try AlignedBuffer(
      byteCount: capacityBytes, purpose: "packed weights", usesHugePages: true)
    self.givesBackNativePages = givesBackNativePages
  }

  /// Bytes handed out so far.
  public var usedBytes: Int { lock.withLock { $0 } }

  /// - Returns: nil where the store is full.
  func allocate(byteCount: Int) -> UnsafeMutableRawPointer? {
    lock.withLock { next in
      let size = (byteCount + 63) / 64 * 64
      guard size <= memory.byteCount - next else { return nil }
      defer { next += size }
      return memory.base + next
    }
  }

  /// Gives the whole pages within some native bytes back to the system; they come from the file again
  /// if they are read again.
  func giveBack(_ native: UnsafeRawPointer, byteCount: Int) {
    guard givesBackNativePages else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let begin = (Int(bitPattern: native) + page - 1) / page * page
    let end = (Int(bitPattern: native) + byteCount) / page * page
    guard end > begin, let start = UnsafeMutableRawPointer(bitPattern: begin) else { return }
    madvise(start, end - begin, MADV_DONTNEED)
  }
}

/// The packed copy of one matrix: not there, being made, there, or refused for want of memory.
// Safety: `memory` is written by the one thread that claimed the slot, before `state` says ready.
final class PackedSlot: @unchecked Sendable {
  private enum State {
    static let empty = 0
    static let packing = 1
    static let ready = 2
    static let refused = 3
  }

  let store: PackedStore
  private let state = Atomic<Int>(State.empty)
  private var memory: UnsafeMutableRawPointer?

  init(in store: PackedStore) { self.store = store }

  /// The packed tiles, once they are there.
  var tiles: UnsafeRawPointer? {
    state.load(ordering: .acquiring) == State.ready ? UnsafeRawPointer(memory) : nil
  }

  /// Takes it upon the caller to pack the matrix.
  /// - Returns: where to; nil where there is nothing to do, another thread does it, or no room is left.
  func claim(byteCount: Int) -> UnsafeMutableRawPointer? {
    guard state.load(ordering: .relaxed) == State.empty,
      state.compareExchange(
        expected: State.empty, desired: State.packing, ordering: .acquiring
      ).exchanged
    else { return nil }
    memory = store.allocate(byteCount: byteCount)
    if memory == nil { state.store(State.refused, ordering: .releasing) }
    return memory
  }

  /// Says that the claimed memory is filled.
  func publish() { state.store(State.ready, ordering: .releasing) }
}
