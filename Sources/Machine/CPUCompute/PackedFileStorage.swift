import CKernels
import Glibc
import HostMemory
import Synchronization

/// Which matrices of a store lie in a file of packed weights, and where.
///
/// Made from a store that records its matrices, when the model is built; then the file is opened, or
/// written and opened.
public struct PackedFileStorage {
  private let store: PackedStore
  private let slots: [PackedSlot]
  private let layout: PackedFileLayout

  public var byteCount: Int { layout.byteCount }

  /// - Parameters:
  ///   - store: one that records its matrices; it stops doing so.
  ///   - fingerprint: of the model; a file with another one is not used.
  ///   - title: what the model is called, for lists of such files.
  ///   - source: a number that tells the native bytes at an address from all others of the model.
  public init(
    of store: PackedStore, fingerprint: UInt64, title: String,
    source: (UnsafeRawPointer) -> UInt64
  ) {
    self.store = store
    slots = store.takeRecorded().filter { $0.shape.byteCount > 0 }
    layout = PackedFileLayout(
      fingerprint: fingerprint, title: title,
      matrices: slots.map {
        (
          source($0.shape.base), $0.shape.type.rawValue, $0.shape.rowCount, $0.shape.columnCount,
          $0.shape.byteCount
        )
      })
  }

  /// Uses a file: its pages take the place of the matrices' packed copies.
  /// - Returns: why the file is not used, if it is not; nothing has changed then.
  /// - Throws: `HostMemoryError` where there is no file or it cannot be mapped.
  public func open(_ path: String) throws(HostMemoryError) -> PackedFileFault? {
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    guard let base = file.bytes.baseAddress else { return .notPackedWeights }
    if let fault = layout.objection(to: file.bytes) { return fault }
    store.keep(file)
    for (slot, entry) in zip(slots, layout.entries) { slot.adopt(base + entry.offset) }
    return nil
  }

  /// Bytes that a thread packs before it writes them.
  private static let pieceBytes = 4 << 20

  /// Packs all matrices into a file, on all threads. The file appears under its name when it is whole
  /// and on the disk.
  /// - Parameters:
  ///   - progress: called on the calling thread with the part that is done, 0 to 1.
  /// - Throws: `PackedFileWritingError`; no file is left then. `HostMemoryError.cannotAllocate`.
  public func write(
    to path: String, compute: CPUBackend, progress: (Double) -> Void = { _ in }
  ) throws {
    // Ten gigabytes of a process that was stopped would stay for ever.
    Folders.removeAbandoned(beside: path)
    let temporary = Folders.unfinishedPath(for: path)
    let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw PackedFileWritingError(path: temporary, code: errno) }
    var isWhole = false
    defer {
      close(descriptor)
      if !isWhole { unlink(temporary) }
    }
    // Asked for at once, so that a disk that is too small is known before the work and not behind it.
    let code = posix_fallocate(descriptor, 0, off_t(layout.byteCount))
    guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
      throw PackedFileWritingError(path: path, code: code, byteCount: layout.byteCount)
    }
    try writeTiles(to: descriptor, path: path, compute, progress)
    try layout.beginning.withUnsafeBytes { try put($0, at: 0, descriptor, path) }
    try PackedFileLayout.magic.withUnsafeBytes {
      try put($0, at: layout.byteCount - $0.count, descriptor, path)
    }
    // A name for what the disk does not have yet would be a whole file of zeros after a power cut.
    guard fdatasync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw PackedFileWritingError(path: path, code: errno)
    }
    isWhole = true
  }

  private func writeTiles(
    to descriptor: Int32, path: String, _ compute: CPUBackend, _ progress: (Double) -> Void
  ) throws {
    let pieces = slots.indices.flatMap { index -> [(slot: Int, tiles: Range<Int>)] in
      let tile = PackedFileStorage.tileByteCount(slots[index])
      let count = slots[index].shape.byteCount / tile
      let step = max(1, Self.pieceBytes / tile)
      return stride(from: 0, to: count, by: step).map { (index, $0..<min($0 + step, count)) }
    }
    let largest = slots.reduce(Self.pieceBytes) { max($0, PackedFileStorage.tileByteCount($1)) }
    let scratch = try compute.scratchPerThread(byteCount: largest)
    let failure = Atomic<Int32>(0)
    let doneBytes = Atomic<Int>(0)
    compute.team.forEachChunk(count: pieces.count) { thread, index in
      guard failure.load(ordering: .relaxed) == 0 else { return }
      let (slot, tiles) = pieces[index]
      let code = pack(slot, tiles, compute.kernels, scratch[thread], descriptor)
      if code != 0 { failure.store(code, ordering: .relaxed) }
      let bytes = tiles.count * PackedFileStorage.tileByteCount(slots[slot])
      let done = doneBytes.wrappingAdd(bytes, ordering: .relaxed).newValue
      if thread == 0 { progress(Double(done) / Double(layout.byteCount)) }
    }
    let code = failure.load(ordering: .relaxed)
    if code != 0 { throw PackedFileWritingError(path: path, code: code) }
  }

  /// Packs some tiles and writes them. Returns 0 or the system's error number.
  private func pack(
    _ index: Int, _ tiles: Range<Int>, _ kernels: ck_kernels, _ scratch: UnsafeMutableRawPointer,
    _ descriptor: Int32
  ) -> Int32 {
    let shape = slots[index].shape
    let tile = PackedFileStorage.tileByteCount(slots[index])
    // Tiles are packed as those of a matrix of their own, which begins at the first of them.
    let first = tiles.lowerBound * Int(CK_TILE_ROWS)
    let rows = min(tiles.count * Int(CK_TILE_ROWS), shape.rowCount - first)
    var view = ck_weights(
      native: shape.base + first * shape.rowByteCount, packed: nil, row_bytes: shape.rowByteCount,
      rows: rows, columns: shape.columnCount, element_type: shape.type.rawValue)
    let code = kernels.pack(&view, 0, tiles.count, scratch)
    precondition(code == 0, "no packed layout for element type \(shape.type.name)")
    slots[index].store.giveBack(
      shape.base + first * shape.rowByteCount, byteCount: rows * shape.rowByteCount)
    let bytes = UnsafeRawBufferPointer(start: scratch, count: tiles.count * tile)
    return PackedFileStorage.put(
      bytes, at: layout.entries[index].offset + tiles.lowerBound * tile, descriptor)
  }

  private func put(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, _ descriptor: Int32, _ path: String
  ) throws {
    let code = PackedFileStorage.put(bytes, at: offset, descriptor)
    if code != 0 { throw PackedFileWritingError(path: path, code: code) }
  }

  private static func put(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, _ descriptor: Int32
  ) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done,
        off_t(offset + done))
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        return count == 0 ? EIO : errno
      }
    }
    return 0
  }

  private static func tileByteCount(_ slot: PackedSlot) -> Int {
    ck_tile_bytes(slot.shape.type.rawValue, slot.shape.columnCount)
  }
}

/// Why a file of packed weights cannot be written.
public struct PackedFileWritingError: Error, Equatable, CustomStringConvertible {
  public let path: String
  public let description: String

  init(path: String, code: Int32, byteCount: Int? = nil) {
    self.path = path
    let size = byteCount.map { " (\($0) bytes)" } ?? ""
    description = "cannot write \(path)\(size): \(String(cString: strerror(code)))"
  }
}
