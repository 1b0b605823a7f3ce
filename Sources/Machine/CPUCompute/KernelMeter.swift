import CKernels
import HostMemory
import Tensors

/// Measures single kernels the way a model uses them: through `CPUBackend`, on all threads, over a set of
/// expert-sized matrices that is larger than the caches.
public struct KernelMeter {
  /// The speed of the products of one element type.
  public struct ProductSpeed: Sendable {
    public let type: ElementType
    /// Of each matrix of the set.
    public let rowCount: Int
    public let columnCount: Int
    /// Packing at first use, in 10⁹ bytes of the file a second; memory is touched for the first time.
    public var packingGBps = 0.0
    /// Reading weights for one token, in 10⁹ packed bytes a second.
    public var readGBps = 0.0
    /// Multiplications and additions in 10⁹ a second, for each of the token counts.
    public var productGOPS: [Double] = []
  }

  /// The speed of a kernel that is not a product of weights.
  public struct OtherSpeed: Sendable {
    public let name: String
    /// Bytes read, in 10⁹ a second.
    public let readGBps: Double
    /// Multiplications and additions in 10⁹ a second; nil where they do not count.
    public let floatGOPS: Double?
  }

  /// Tokens that each matrix is multiplied with, ascending from 1.
  public let tokenCounts: [Int]
  let compute: CPUBackend
  private let setByteCount: Int
  /// Passes of each kind, the best of which counts.
  public let repetitions: Int
  let ceilings: CeilingMeter

  /// Matrices in one call: those of six activated experts' gates and up projections.
  private static let batchCount = 12

  /// - Parameters:
  ///   - tokenCounts: from 1 on, ascending.
  ///   - setByteCount: weights of one type; larger than the caches where speeds are to mean anything.
  ///   - repetitions: passes of each kind; the best counts, as it does for the ceilings.
  ///   - ceilings: measured once more with every type.
  public init(
    _ compute: CPUBackend, tokenCounts: [Int] = [1, 2, 4, 8, 16, 48, 128, 512],
    setByteCount: Int = 512 << 20, repetitions: Int, ceilings: CeilingMeter
  ) {
    self.compute = compute
    self.tokenCounts = tokenCounts
    self.setByteCount = setByteCount
    self.repetitions = max(1, repetitions)
    self.ceilings = ceilings
  }

  /// Measures the products of one type.
  /// - Returns: nil for a type without kernels.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public func products(of type: ElementType) throws -> ProductSpeed? {
    // The shapes of DeepSeek-V2-Lite's experts: gate and up in K-quants, down in 32-wide types.
    let isNarrow = ck_activation_width(type.rawValue) == 32
    let (rows, columns) = isNarrow ? (2_048, 1_408) : (1_408, 2_048)
    guard let set = try MatrixSet(type, rows: rows, columns: columns, byteCount: setByteCount)
    else { return nil }
    var speed = ProductSpeed(type: type, rowCount: rows, columnCount: columns)
    let most = tokenCounts.max() ?? 1
    let workspace = Workspace()
    let x = try inputs(rows: most, columns: columns, workspace)
    let y = try (0..<Self.batchCount).map { _ in try workspace.take(rows: most, columns: rows) }
    let records = try workspace.takeRecords(
      rows: most, columns: columns, width: set.matrices[0].activationWidth)
    let read = records.width == 0 ? RowRecords(x) : records
    if records.width != 0 { compute.quantize([(x, records)]) }

    // The first use of weights leaves them as they are, the second one packs them.
    try pass(set, tokenCount: 1, read, y)
    let first = try seconds { try pass(set, tokenCount: 1, read, y) }
    var samples = [[Double]](repeating: [], count: tokenCounts.count)
    for _ in 0..<repetitions {
      ceilings.measure()
      for (index, count) in tokenCounts.enumerated() {
        samples[index].append(try secondsPerMatrix(set, tokenCount: count, read, y))
      }
    }
    let bests = samples.map { $0.min() ?? 1 }
    let packing = first - bests[0] * Double(set.matrices.count)
    speed.packingGBps = Double(set.nativeByteCount) / max(packing, 1e-9) / 1e9
    speed.readGBps = Double(set.packedByteCount / set.matrices.count) / bests[0] / 1e9
    speed.productGOPS = zip(tokenCounts, bests).map {
      Double(2 * rows * columns * $0) / $1 / 1e9
    }
    return speed
  }

  /// Numbers like those of a normalised hidden state: between −2 and 2.
  private func inputs(rows: Int, columns: Int, _ workspace: Workspace) throws -> Activation {
    let x = try workspace.take(rows: rows, columns: columns)
    var state: UInt32 = 1
    for row in 0..<rows {
      for column in 0..<columns {
        state = state &* 1_664_525 &+ 1_013_904_223
        x.row(row)[column] = Float(Int32(bitPattern: state)) * 0x1p-30
      }
    }
    return x
  }

  /// One pass over the set where the weights come from memory, over as much of it as takes some
  /// milliseconds where products take longer.
  private func secondsPerMatrix(
    _ set: MatrixSet, tokenCount: Int, _ x: RowRecords, _ y: [Activation]
  ) throws -> Double {
    let batches = max(1, set.matrices.count / Self.batchCount / max(1, tokenCount / 8))
    let count = min(set.matrices.count, batches * Self.batchCount)
    return try seconds { try pass(set, tokenCount: tokenCount, count: count, x, y) } / Double(count)
  }

  private func pass(
    _ set: MatrixSet, tokenCount: Int, count: Int? = nil, _ x: RowRecords, _ y: [Activation]
  ) throws {
    let count = count ?? set.matrices.count
    for start in stride(from: 0, to: count, by: Self.batchCount) {
      let batch = set.matrices[start..<min(start + Self.batchCount, count)]
      try compute.multiply(
        zip(batch, y).map {
          MatrixProduct(x.rows(0..<tokenCount), $0, into: $1.prefix(rows: tokenCount))
        })
    }
  }

  func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = StepProfile.now()
    try work()
    return Double(max(1, StepProfile.now() - start)) / 1e9
  }
}

/// Matrices of one type and shape, each with a packed copy of its own; their native rows are the same
/// memory.
private struct MatrixSet {
  let matrices: [WeightMatrix]
  private let native: AlignedBuffer
  private let store: PackedStore

  var nativeByteCount: Int { matrices.reduce(0) { $0 + $1.byteCount } }
  var packedByteCount: Int { matrices.reduce(0) { $0 + $1.tileCount * $1.tileByteCount } }

  /// - Returns: nil where the type has no kernels or rows of `columns` are no whole blocks.
  init?(_ type: ElementType, rows: Int, columns: Int, byteCount: Int) throws {
    guard let rowByteCount = type.byteCount(ofRow: columns),
      let bytes = type.madeBlocks(rows * columns / type.elementsPerBlock, seed: 1)
    else { return nil }
    let one = WeightMatrix.packedByteCount(type: type, rowCount: rows, columnCount: columns)
    let count = max(2, byteCount / one)
    native = try AlignedBuffer(byteCount: rows * rowByteCount, purpose: "made weights")
    native.base.copyMemory(from: bytes, byteCount: bytes.count)
    let store = try PackedStore(capacityBytes: count * (one + 64), givesBackNativePages: false)
    self.store = store
    let base = UnsafeRawPointer(native.base)
    matrices = (0..<count).compactMap { _ in
      WeightMatrix(base: base, type: type, rowCount: rows, columnCount: columns, store: store)
    }
  }
}
