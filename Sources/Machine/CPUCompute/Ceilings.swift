import CKernels
import HostMemory

/// What this machine's processor can do at most, measured with the same threads and instruction set as
/// the work that is compared with it.
public struct Ceilings: Sendable {
  /// Reading memory, all threads together, in 10⁹ bytes a second.
  public var readGBps = 0.0
  /// F32 multiplications and additions, all threads together, in 10⁹ a second.
  public var floatGOPS = 0.0
  /// Multiplications and additions of bytes, all threads together, in 10⁹ a second; nil for plain C,
  /// where the compiler decides how they are done.
  public var int8GOPS: Double?

  /// What products of quantised weights are compared with.
  public var productGOPS: Double? { int8GOPS }
}

/// What `CeilingMeter` reads, in small and in huge pages; meters of several thread counts share it.
public final class CeilingMemory {
  fileprivate let smallPages: AlignedBuffer
  fileprivate let largePages: AlignedBuffer
  fileprivate let chunkCount: Int
  fileprivate var isTouched = false
  /// Where `readSome` goes on.
  fileprivate var nextChunk = 0

  fileprivate static let chunkByteCount = 4 << 20

  /// Reserves 512 MiB: more than what the caches of one processor hold of it from round to round.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public convenience init() throws(HostMemoryError) { try self.init(chunkCount: 64) }

  /// - Parameter chunkCount: how many times 4 MiB each half is.
  init(chunkCount: Int) throws(HostMemoryError) {
    self.chunkCount = chunkCount
    let byteCount = chunkCount * CeilingMemory.chunkByteCount
    let purpose = "measuring the read bandwidth"
    smallPages = try AlignedBuffer(byteCount: byteCount, purpose: purpose)
    largePages = try AlignedBuffer(byteCount: byteCount, purpose: purpose, usesHugePages: true)
  }
}

/// Measures what the machine can do, again and again beside other measurements: on a machine that is
/// shared, the ceilings move while one measures.
public final class CeilingMeter {
  /// The best of all rounds so far.
  public private(set) var ceilings = Ceilings()
  private let compute: CPUBackend
  private let memory: CeilingMemory
  private let iterationCount: Int

  /// Chains × lanes × (one multiplication and one addition) of the kernel `multiply_add`.
  private static let floatOperations = 12 * 16 * 2
  /// Instructions × products × (one multiplication and one addition) of `multiply_add_int8`.
  private static let int8Operations = 24 * 64 * 2

  /// - Parameters:
  ///   - compute: whose threads and instruction set are measured.
  ///   - iterationCount: of the kernels that calculate: fewer take less time and are disturbed more.
  public init(_ compute: CPUBackend, memory: CeilingMemory, iterationCount: Int = 1_000_000) {
    self.compute = compute
    self.memory = memory
    self.iterationCount = iterationCount
    guard !memory.isTouched else { return }
    memory.isTouched = true
    touch(memory.smallPages)
    touch(memory.largePages)
  }

  /// Measures for some 50 ms: reading in small and in huge pages, with and without prefetching, and
  /// arithmetic.
  public func measure() {
    let kernels = compute.kernels
    for memory in [memory.smallPages, memory.largePages] {
      for read in [kernels.read, kernels.read_ahead] {
        ceilings.readGBps = max(ceilings.readGBps, readSpeed(memory) { _ = read?($0, $1) })
      }
    }
    // A team whose threads are asleep begins late: the first of two is lost.
    for _ in 0..<2 {
      ceilings.floatGOPS = max(
        ceilings.floatGOPS,
        speed(CeilingMeter.floatOperations) { _ = kernels.multiply_add(iterationCount) })
      guard let multiply = kernels.multiply_add_int8 else { continue }
      ceilings.int8GOPS = max(
        ceilings.int8GOPS ?? 0,
        speed(CeilingMeter.int8Operations) { _ = multiply(iterationCount) })
    }
  }

  /// Reads the next part of the memory with all threads: what keeps the memory busy while something else is
  /// measured.
  /// - Returns: how many bytes were read.
  public func readSome() -> Int {
    let count = min(memory.chunkCount, 8)
    let first = memory.nextChunk
    memory.nextChunk = (first + count) % memory.chunkCount
    let (kernels, memory) = (compute.kernels, memory)
    compute.team.forEachChunk(count: count) { _, index in
      let chunk = (first + index) % memory.chunkCount
      _ = kernels.read?(
        memory.largePages.base + chunk * CeilingMemory.chunkByteCount, CeilingMemory.chunkByteCount)
    }
    return count * CeilingMemory.chunkByteCount
  }

  /// 10⁹ bytes a second.
  private func readSpeed(
    _ memory: AlignedBuffer, _ read: (UnsafeRawPointer, Int) -> Void
  ) -> Double {
    let nanoseconds = time { chunk in
      read(memory.base + chunk * CeilingMemory.chunkByteCount, CeilingMemory.chunkByteCount)
    }
    return Double(memory.byteCount) / nanoseconds
  }

  private func time(_ body: (Int) -> Void) -> Double {
    let start = StepProfile.now()
    compute.team.forEachChunk(count: memory.chunkCount) { _, chunk in body(chunk) }
    return Double(max(1, StepProfile.now() - start))
  }

  /// 10⁹ operations a second of all threads together.
  private func speed(_ operations: Int, _ work: () -> Void) -> Double {
    let start = StepProfile.now()
    compute.team.run { _ in work() }
    let nanoseconds = Double(max(1, StepProfile.now() - start))
    return Double(iterationCount * operations * compute.threadCount) / nanoseconds
  }

  /// Untouched pages are all one page of zeros: write each once.
  private func touch(_ memory: AlignedBuffer) {
    _ = time { chunk in
      for offset in stride(from: 0, to: CeilingMemory.chunkByteCount, by: 4_096) {
        memory.base.storeBytes(
          of: 1, toByteOffset: chunk * CeilingMemory.chunkByteCount + offset, as: UInt8.self)
      }
    }
  }
}
