import CKernels
import Glibc
import HostMemory
import Synchronization
import Tensors

/// Memory for the packed copies of a model's weights: tiles of sixteen interleaved rows, the layout that
/// the products read fastest (`Docs/ARITHMETIC.md`).
///
/// A matrix is packed when it is multiplied for the first or for the second time, so that the first token
/// does not wait for the whole file, and the mapped pages of its native rows are given back: one copy of the weights is resident.
/// Address space for all of them is reserved at once, in huge pages where the system has them, and paid
/// for as it fills. Matrices may also lie packed in a file (`PackedFile`); then nothing is packed.
// Safety: `state` is guarded by `lock`; memory handed out is never moved or taken back.
public final class PackedStore: @unchecked Sendable {
  private struct State {
    var usedBytes = 0
    /// Slots of matrices in the order of their making; nil where nobody wants to know.
    var recorded: [PackedSlot]?
    /// The file that holds packed matrices, kept as long as these.
    var file: MappedFile?
  }

  private let memory: AlignedBuffer
  private let lock: Mutex<State>
  /// Why pages are not spread over memory nodes although they should be.
  public let interleavingRefusal: String?
  private let packsAtUse: Int
  /// Whether native rows lie in mapped files, whose pages may be given back.
  let givesBackNativePages: Bool

  /// - Parameters:
  ///   - capacityBytes: the packed size of all matrices, or more.
  ///   - givesBackNativePages: whether native rows are in mapped files and nowhere else.
  ///   - packsAtUse: which use of a matrix packs it, from 1. Fresh memory costs more than products that pack
  ///     into scratch once, so that at 2 the first token comes sooner, and matrices that are used only
  ///     once (experts of one prompt) cost no memory.
  ///   - recordsMatrices: whether the store keeps a list of its matrices, for a file of all of them;
  ///     `takeRecorded` must end that.
  ///   - interleavedNodes: memory nodes that its pages are spread over; empty: wherever the system puts
  ///     them.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(
    capacityBytes: Int, givesBackNativePages: Bool, packsAtUse: Int = 1,
    recordsMatrices: Bool = false, interleavedNodes: [Int] = []
  ) throws(HostMemoryError) {
    memory = try AlignedBuffer(
      byteCount: capacityBytes, purpose: "packed weights", usesHugePages: true)
    interleavingRefusal = memory.interleave(over: interleavedNodes)
    lock = Mutex(State(recorded: recordsMatrices ? [] : nil))
    self.givesBackNativePages = givesBackNativePages
    self.packsAtUse = packsAtUse
  }

  /// A place for the packed copy of a matrix.
  func slot(for shape: PackedShape) -> PackedSlot {
    let slot = PackedSlot(in: self, shape, packsAtUse: packsAtUse)
    lock.withLock { $0.recorded?.append(slot) }
    return slot
  }

  /// The slots of all matrices so far that are multiplied as wholes, and the end of the list.
  func takeRecorded() -> [PackedSlot] {
    lock.withLock { state in
      defer { state.recorded = nil }
      return state.recorded ?? []
    }.filter { !$0.isSplit }
  }

  /// Keeps a file as long as the store.
  func keep(_ file: MappedFile) { lock.withLock { $0.file = file } }

  /// All address space of the store, of which the first `usedBytes` are handed out.
  public var memoryRange: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: memory.base, count: memory.byteCount)
  }

  /// Where packed copies lie, in whole pages: what a device may pin. The file of packed weights is one part,
  /// which can only be read.
  public var memoryParts: [UnsafeMutableRawBufferPointer] {
    let file = lock.withLock { $0.file }?.bytes
    // Safety: nobody writes through it; pinning asks for an address that could be written.
    let read = file.map { UnsafeMutableRawBufferPointer(mutating: $0) }
    return [memoryRange] + (read.map { [$0] } ?? [])
  }

  /// Bytes handed out so far.
  public var usedBytes: Int { lock.withLock { $0.usedBytes } }

  /// - Returns: nil where the store is full.
  func allocate(byteCount: Int) -> UnsafeMutableRawPointer? {
    lock.withLock { state in
      let size = (byteCount + 63) / 64 * 64
      guard size <= memory.byteCount - state.usedBytes else { return nil }
      defer { state.usedBytes += size }
      return memory.base + state.usedBytes
    }
  }

  /// Gives the pages of some native bytes back to the system, those at the ends included, which the
  /// neighbours share: they come from the file again if they are read again.
  func giveBack(_ native: UnsafeRawPointer, byteCount: Int) {
    guard givesBackNativePages, byteCount > 0 else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    // A mapping is whole pages, so that this never leaves it.
    let begin = Int(bitPattern: native) / page * page
    let end = (Int(bitPattern: native) + byteCount + page - 1) / page * page
    guard let start = UnsafeMutableRawPointer(bitPattern: begin) else { return }
    madvise(start, end - begin, MADV_DONTNEED)
  }
}

/// A matrix as its packed copy needs to know it.
struct PackedShape {
  let base: UnsafeRawPointer
  let type: ElementType
  let rowCount: Int
  let columnCount: Int
  let rowByteCount: Int

  var byteCount: Int {
    WeightMatrix.packedByteCount(type: type, rowCount: rowCount, columnCount: columnCount)
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
  let shape: PackedShape
  /// Uses until the matrix is packed, the one that packs it included.
  private let usesLeft: Atomic<Int>
  private let wasSplit = Atomic<Bool>(false)
  private let state = Atomic<Int>(State.empty)
  private var memory: UnsafeMutableRawPointer?

  init(in store: PackedStore, _ shape: PackedShape, packsAtUse: Int) {
    self.store = store
    self.shape = shape
    usesLeft = Atomic(packsAtUse)
  }

  /// Whether the matrix was taken apart into matrices of their own.
  var isSplit: Bool { wasSplit.load(ordering: .relaxed) }

  func split() { wasSplit.store(true, ordering: .relaxed) }

  /// The packed tiles, once they are there.
  var tiles: UnsafeRawPointer? {
    state.load(ordering: .acquiring) == State.ready ? UnsafeRawPointer(memory) : nil
  }

  /// Counts a use, and takes it upon the caller to pack the matrix where it is the one for that.
  /// - Returns: where to; nil where there is nothing to do, another thread does it, or no room is left.
  func claim(byteCount: Int) -> UnsafeMutableRawPointer? {
    guard state.load(ordering: .relaxed) == State.empty,
      usesLeft.wrappingSubtract(1, ordering: .relaxed).newValue <= 0
    else { return nil }
    return claimNow(byteCount: byteCount)
  }

  /// Takes it upon the caller to pack the matrix, however often it was used.
  /// - Returns: as `claim`.
  func claimNow(byteCount: Int) -> UnsafeMutableRawPointer? {
    guard
      state.compareExchange(
        expected: State.empty, desired: State.packing, ordering: .acquiring
      ).exchanged
    else { return nil }
    memory = store.allocate(byteCount: byteCount)
    if memory == nil { state.store(State.refused, ordering: .releasing) }
    return memory
  }

  /// Takes tiles that are there already, in memory that outlives the slot.
  func adopt(_ tiles: UnsafeRawPointer) {
    guard
      state.compareExchange(
        expected: State.empty, desired: State.packing, ordering: .acquiring
      ).exchanged
    else { return }
    // Safety: what is ready is only read.
    memory = UnsafeMutableRawPointer(mutating: tiles)
    publish()
  }

  /// Says that the claimed memory is filled.
  func publish() { state.store(State.ready, ordering: .releasing) }
}
