import CChecksums

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
///
/// Ours, because the one of swift-crypto brings a second copy of BoringSSL, which takes longer to
/// build than the rest of this program.
public struct SHA256: Sendable {
  // First 32 bits of the fractional parts of the square roots of the first 8 primes.
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]
  /// Bytes behind the last whole block, fewer than 64.
  private var rest: [UInt8] = []
  private var byteCount: UInt64 = 0

  /// Of no bytes.
  public init() {}

  /// Takes bytes in, behind those before.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    byteCount += UInt64(bytes.count)
    var bytes = bytes[...]
    if !rest.isEmpty {
      let head = bytes.prefix(64 - rest.count)
      rest += head
      bytes = bytes.dropFirst(head.count)
      guard rest.count == 64 else { return }
      rest.withUnsafeBytes { take($0) }
      rest.removeAll(keepingCapacity: true)
    }
    let wholeCount = bytes.count / 64 * 64
    take(UnsafeRawBufferPointer(rebasing: bytes.prefix(wholeCount)))
    rest += bytes.dropFirst(wholeCount)
  }

  /// Takes bytes in, behind those before.
  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The checksum of all bytes so far, as 64 small hexadecimal digits.
  public var hexadecimal: String {
    var copy = self
    // A one, zeros, and the number of bits in eight bytes at the end of a block.
    var end: [UInt8] = [0x80] + [UInt8](repeating: 0, count: (119 - rest.count) % 64)
    for shift in stride(from: 56, through: 0, by: -8) {
      end.append(UInt8(truncatingIfNeeded: (byteCount << 3) >> UInt64(shift)))
    }
    copy.update(end)
    return copy.state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// Whole blocks.
  private mutating func take(_ blocks: UnsafeRawBufferPointer) {
    guard let start = blocks.baseAddress, !blocks.isEmpty else { return }
    // Safety: the function reads the blocks and changes the eight words, both during the call only.
    state.withUnsafeMutableBufferPointer { state in
      hybrimoe_sha256(
        state.baseAddress, start.assumingMemoryBound(to: UInt8.self), blocks.count / 64)
    }
  }
}
