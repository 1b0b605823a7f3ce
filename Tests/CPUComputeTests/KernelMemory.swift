/// Whether two numbers are the same bits, or both NaN.
func isSame(_ a: Float, _ b: Float) -> Bool {
  a.bitPattern == b.bitPattern || a.isNaN && b.isNaN
}

/// Memory as kernels want it: aligned to 64 bytes, filled with a pattern so that what is not written
/// shows.
final class KernelMemory {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    base = .allocate(byteCount: max(byteCount, 64), alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: byteCount)
  }

  deinit { base.deallocate() }

  var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: base, count: byteCount)) }

  func floats(_ count: Int, at offset: Int = 0) -> [Float] {
    (0..<count).map { (base + offset).load(fromByteOffset: 4 * $0, as: Float.self) }
  }
}
