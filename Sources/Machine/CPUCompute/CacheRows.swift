import CKernels
import HostMemory
import Tensors

/// Rows of keys or values of one layer in the cache's element type: [heads, positions, length], so that
/// a head's positions are one stream of memory.
public final class CacheRows {
  public let type: ElementType
  public let headCount: Int
  public let length: Int
  /// Numbers that are kept for each head: `length`, filled up with zeros to whole blocks of the type.
  public let storedLength: Int
  public let headByteCount: Int
  public let capacity: Int
  private let memory: AlignedBuffer
  private let headStride: Int

  /// - Parameter type: F32, F16 or Q8_0.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(
    type: ElementType, headCount: Int, length: Int, capacity: Int
  ) throws(HostMemoryError) {
    let block = type.elementsPerBlock
    storedLength = (length + block - 1) / block * block
    guard let headByteCount = type.byteCount(ofRow: storedLength) else {
      preconditionFailure("\(type.name) holds no rows of \(storedLength)")
    }
    self.type = type
    self.headCount = headCount
    self.length = length
    self.headByteCount = headByteCount
    self.capacity = capacity
    // Attention reads whole groups of sixteen positions, and heads begin on cache lines.
    headStride = ((capacity + 15) / 16 * 16 * headByteCount + 63) / 64 * 64
    memory = try AlignedBuffer(byteCount: headCount * headStride, purpose: "the KV cache")
  }

  /// Bytes that one position takes, all heads together.
  var positionByteCount: Int { headCount * headByteCount }

  func pointer(position: Int, head: Int) -> UnsafeMutablePointer<UInt8> {
    precondition(position >= 0 && position < capacity && head < headCount)
    return memory.base.assumingMemoryBound(to: UInt8.self) + head * headStride
      + position * headByteCount
  }
}

extension CPUBackend {
  /// Writes rows of keys or values into the cache. x: [tokens, heads × length].
  public func store(_ x: Activation, in rows: CacheRows, from position: Int) {
    precondition(x.columnCount == rows.headCount * rows.length)
    precondition(position >= 0 && position + x.rowCount <= rows.capacity)
    let whole = rows.length / rows.type.elementsPerBlock * rows.type.elementsPerBlock
    let wholeByteCount = rows.type.byteCount(ofRow: whole) ?? 0
    let last = rows.length - whole
    forEachRow(count: x.rowCount, width: x.columnCount) { token in
      for head in 0..<rows.headCount {
        let source = x.row(token) + head * rows.length
        let target = rows.pointer(position: position + token, head: head)
        var code = kernels.store_row(rows.type.rawValue, source, target, whole)
        if last > 0 {
          withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.type.elementsPerBlock) {
            $0.initialize(repeating: 0)
            for index in 0..<last { $0[index] = source[whole + index] }
            code |= kernels.store_row(
              rows.type.rawValue, $0.baseAddress, target + wholeByteCount, $0.count)
          }
        }
        precondition(code == 0, "a cache of \(rows.type.name)")
      }
    }
  }
}
