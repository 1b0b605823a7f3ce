import CKernels
import HostMemory
import Tensors

/// The operations of a model's step on the CPU.
///
/// Every row of a result has the same bits whatever other rows the call has, whatever the thread count
/// and the instruction set: work is split by rows only, and each row follows one order of operations.
///
/// Not for use by two threads at once: the calling thread works as the team's thread 0.
public final class CPUBackend {
  public let instructionSet: InstructionSet
  let kernels: ck_kernels
  let team: ThreadTeam
  /// Where the time goes, if anybody asks.
  public var profile: StepProfile? {
    didSet { team.profile = profile }
  }
  private var scratch: [AlignedBuffer] = []
  private var scratchBases: [UnsafeMutableRawPointer] = []
  /// Memory for inputs that are quantised for one batch of products only.
  let inputs = Workspace()
  let plan = ProductPlan()
  var packing: [(weights: WeightMatrix, target: UnsafeMutableRawPointer)] = []

  public var threadCount: Int { team.threadCount }

  /// - Parameters:
  ///   - threadCount: threads of the team, the caller's included; at least 1.
  ///   - processors: what each thread may run on, the caller's first; empty: wherever the system puts
  ///     them.
  ///   - instructionSet: one that this processor has; the best where it does not.
  /// - Throws: `HostMemoryError` where threads or memory are refused.
  public init(
    threadCount: Int, processors: [[Int]] = [], instructionSet: InstructionSet = .best
  ) throws(HostMemoryError) {
    guard let kernels = instructionSet.kernels ?? InstructionSet.portable.kernels else {
      preconditionFailure("the portable kernels are always there")
    }
    self.instructionSet = instructionSet.isAvailable ? instructionSet : .portable
    self.kernels = kernels
    team = try ThreadTeam(threadCount: threadCount, processors: processors)
  }

  /// Scratch of at least `byteCount` bytes for each thread. Called outside parallel regions.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  func scratchPerThread(byteCount: Int) throws(HostMemoryError) -> [UnsafeMutableRawPointer] {
    if scratch.count < threadCount || scratch[0].byteCount < byteCount {
      scratch = try (0..<threadCount).map { _ throws(HostMemoryError) in
        try AlignedBuffer(byteCount: byteCount, purpose: "kernel scratch")
      }
      scratchBases = scratch.map(\.base)
    }
    return scratchBases
  }

  /// The same in floats.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  func scratchPerThread(
    floatCount: Int
  ) throws(HostMemoryError) -> [UnsafeMutablePointer<Float>] {
    try scratchPerThread(byteCount: floatCount * MemoryLayout<Float>.stride)
      .map { $0.assumingMemoryBound(to: Float.self) }
  }

  /// Turns one row of weights into numbers (the embedding of a token).
  public func readRow(_ index: Int, of weights: WeightMatrix, into y: UnsafeMutablePointer<Float>) {
    precondition(index >= 0 && index < weights.rowCount)
    let code = kernels.dequantize(
      weights.type.rawValue, weights.base + index * weights.rowByteCount, y, weights.columnCount)
    precondition(code == 0, "no kernel for element type \(weights.type.name)")
  }
}
