import CSystemCalls
import Glibc

/// Zeroed memory that begins on a page and is paid for only where it is touched.
///
/// For caches and work space: large ones may be reserved in full (a cache for the whole context) and
/// cost resident memory only as they fill.
// Safety: the pointer never changes; who writes where is settled by the owner.
public final class AlignedBuffer: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  /// - Parameters:
  ///   - purpose: what the memory is for, for the error's text.
  ///   - usesHugePages: asks for pages of 2 MiB where the system has them: streaming through many
  ///     gigabytes misses the address cache less often.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(
    byteCount: Int, purpose: String, usesHugePages: Bool = false
  ) throws(HostMemoryError) {
    let size = max(byteCount, 1)
    guard
      let address = mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      address != MAP_FAILED
    else {
      throw .cannotAllocate(
        byteCount: byteCount, purpose: purpose, reason: MappedFile.reason(errno))
    }
    if usesHugePages { madvise(address, size, MADV_HUGEPAGE) }
    base = address
    self.byteCount = size
  }

  /// Spreads the pages over memory nodes, one after the other, as they are touched: what threads of all
  /// nodes read comes through the memory of all of them.
  /// - Returns: why the system refuses, if it does: pages stay where they are first touched then, which
  ///   is slower and nothing else.
  public func interleave(over nodes: [Int]) -> String? {
    guard nodes.count > 1 else { return nil }
    let numbers = nodes.map { Int32(clamping: $0) }
    let code = csc_interleave(base, byteCount, numbers, numbers.count)
    return code == 0 ? nil : MappedFile.reason(code)
  }

  deinit { munmap(base, byteCount) }

  /// Copies bytes to where `offset` says.
  public func write(_ bytes: Span<UInt8>, at offset: Int) {
    precondition(offset >= 0 && bytes.count <= byteCount - offset, "no room for the bytes")
    bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      (base + offset).copyMemory(from: start, byteCount: source.count)
    }
  }
}
