import CGPUEmulation
import CGPUKernels
import CKernels
import TestSupport
import Testing

@testable import CPUCompute

/// Memory that kernels read and write, as long as the test holds it.
final class KernelMemory<Element: BitwiseCopyable> {
  let buffer: UnsafeMutableBufferPointer<Element>

  init(_ values: [Element]) {
    buffer = .allocate(capacity: max(values.count, 1))
    _ = buffer.initialize(from: values)
  }

  deinit { buffer.deallocate() }

  var address: UInt64 { UInt64(UInt(bitPattern: buffer.baseAddress)) }
  var base: UnsafeMutablePointer<Element> { buffer.baseAddress.unsafelyUnwrapped }
}

extension KernelMemory where Element == Float {
  /// Numbers that no result is by chance.
  convenience init(count: Int) { self.init([Float](repeating: -12345.5, count: count)) }
}

/// Orders of blocks and threads in which every kernel must give the same: as they come, and two by
/// chance.
let threadOrders: [UInt64] = [0, 7, 1234]

/// Runs a kernel to its end on this processor.
/// - Parameter seed: the order of blocks and threads; 0: as they come.
func emulate<Arguments>(
  _ name: String, grid: (Int, Int, Int), block: Int, sharedByteCount: Int = 0,
  _ arguments: Arguments, seed: UInt64 = 0
) throws {
  let kernel = gpu_emulated_kernel(name)
  try #require(kernel >= 0, "no kernel \(name)")
  let blocks = [UInt32(grid.0), UInt32(grid.1), UInt32(grid.2)]
  let threads = [UInt32(block), 1, 1]
  let code = withUnsafeBytes(of: arguments) {
    gpu_emulate(kernel, blocks, threads, sharedByteCount, $0.baseAddress, seed)
  }
  try #require(code == 0, "\(name) stopped at a barrier")
}

/// The bit patterns, one for every NaN.
func bits(_ values: some Sequence<Float>) -> [UInt32] {
  values.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
}

/// The kernels that the GPU's are compared with.
func processorKernels() throws -> ck_kernels { try #require(InstructionSet.best.kernels) }

/// Random numbers, some of them as large as `scale`.
func randomNumbers(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in generator.nextFloat() * scale }
}

/// Numbers that are rounded, compared or scaled in a way of their own.
let hardNumbers: [Float] = [
  0, -0.0, .leastNonzeroMagnitude, Float(sign: .minus, exponent: -130, significand: 1), 6e-8, -6e-8,
  3e-5, 65_504, 65_520, -70_000, 1e38, .infinity, -.infinity,
  .nan, 0.5, -0.5, 127, -127, 2.5, 1.0000001,
]
