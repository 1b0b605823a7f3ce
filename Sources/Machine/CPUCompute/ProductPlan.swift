import CKernels

/// One batch of products as the kernels see it: jobs with the addresses of their rows, cut into pieces
/// of about equal cost. Reused from batch to batch, so that a step in its stride allocates nothing.
final class ProductPlan {
  /// Tiles of one job for some of its tokens: what one thread computes at a time.
  struct Piece {
    var job: Int
    var firstTile: Int
    var endTile: Int
    var firstToken: Int
    var tokenCount: Int
  }

  /// Records of some tokens that are brought into the order in which kernels read them.
  private struct Interleaving {
    var rows: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    var tokenCount: Int
    var recordByteCount: Int
    var panel: UnsafeMutableRawPointer
  }

  var jobs: [ck_product_job] = []
  var gatedJobs: [ck_gated_job] = []
  private(set) var pieces: [Piece] = []
  private var interleavings: [Interleaving] = []
  /// Panels of whole activations, which several products of a batch read.
  private var shared: [(x: RowRecords, panel: UnsafeRawPointer)] = []
  private var addresses: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private var capacity = 0
  private var used = 0

  init() { addresses = .allocate(capacity: 1) }

  deinit { addresses.deallocate() }

  /// Begins a batch whose jobs name at most `addressCount` rows.
  func begin(addressCount: Int) {
    jobs.removeAll(keepingCapacity: true)
    gatedJobs.removeAll(keepingCapacity: true)
    pieces.removeAll(keepingCapacity: true)
    interleavings.removeAll(keepingCapacity: true)
    shared.removeAll(keepingCapacity: true)
    used = 0
    guard addressCount > capacity else { return }
    addresses.deallocate()
    capacity = max(addressCount, 2 * capacity)
    addresses = .allocate(capacity: capacity)
  }

  /// The addresses of some rows of x.
  func rows(
    of x: RowRecords, _ selection: ArraySlice<Int32>?
  ) -> UnsafeMutablePointer<UnsafeMutableRawPointer?> {
    let start = addresses + used
    if let selection {
      for row in selection {
        (addresses + used).initialize(to: x.row(Int(row)))
        used += 1
      }
    } else {
      for row in 0..<x.rowCount { (start + row).initialize(to: x.base + row * x.byteStride) }
      used += x.rowCount
    }
    precondition(used <= capacity)
    return start
  }

  /// The tokens of one job in blocks that a kernel takes at once.
  private static func blocks(tokenCount: Int) -> some Sequence<Range<Int>> {
    let most = Int(CK_PRODUCT_TOKENS)
    let count = (tokenCount + most - 1) / most
    return (0..<count).lazy.map { $0 * tokenCount / count..<($0 + 1) * tokenCount / count }
  }

  /// Memory for the panels of a job's rows, which `interleave` will fill: block after block.
  /// - Parameter rows: the addresses of the job's records.
  /// - Returns: nil for one token, whose record is its panel.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  func panel(
    of rows: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ x: RowRecords,
    _ selection: ArraySlice<Int32>?, in space: Workspace
  ) throws -> UnsafeRawPointer? {
    let tokenCount = selection?.count ?? x.rowCount
    guard tokenCount > 1 else { return nil }
    if selection == nil,
      let known = shared.first(where: { $0.x.isSame(as: x) })
    {
      return known.panel
    }
    let recordByteCount = RowRecords.byteCount(
      rowCount: 1, columnCount: x.columnCount, width: x.width)
    let memory = try space.takeBytes(tokenCount * recordByteCount)
    for block in ProductPlan.blocks(tokenCount: tokenCount) {
      interleavings.append(
        Interleaving(
          rows: rows + block.lowerBound, tokenCount: block.count, recordByteCount: recordByteCount,
          panel: memory + block.lowerBound * recordByteCount))
    }
    if selection == nil { shared.append((x, UnsafeRawPointer(memory))) }
    return UnsafeRawPointer(memory)
  }

  /// Fills the panels of all jobs.
  func interleave(_ kernels: ck_kernels, on team: ThreadTeam) {
    guard !interleavings.isEmpty else { return }
    team.forEachChunk(count: interleavings.count) { _, index in
      let work = interleavings[index]
      kernels.interleave(
        UnsafeRawPointer(work.rows).assumingMemoryBound(to: UnsafeRawPointer?.self),
        work.tokenCount, work.recordByteCount, work.panel)
    }
  }

  /// What a thread streams and calculates at most, for sizing pieces only: no result depends on it.
  private static let bytesPerNanosecond = 24.0
  private static let operationsPerNanosecond = 800.0
  /// A piece is short enough that threads finish together, long enough to pay for fetching it.
  private static let pieceNanoseconds = 2_500.0...40_000.0
  private static let piecesPerThread = 8.0

  /// Cuts a job into pieces.
  /// - Parameters:
  ///   - tileByteCount: bytes of weights in a tile.
  ///   - tileStep: a piece begins at a multiple of so many tiles.
  ///   - share: the batch's cost divided by threads × pieces, in nanoseconds.
  func cut(
    job: Int, tileCount: Int, tileByteCount: Int, columns: Int, tokenCount: Int, tileStep: Int,
    share: Double
  ) {
    for block in ProductPlan.blocks(tokenCount: tokenCount) {
      let (first, count) = (block.lowerBound, block.count)
      let cost = ProductPlan.tileNanoseconds(
        tileByteCount: tileByteCount, columns: columns, tokenCount: count)
      let range = ProductPlan.pieceNanoseconds
      let wanted = min(max(share, range.lowerBound), range.upperBound)
      let tiles = max(1, Int(wanted / cost / Double(tileStep))) * tileStep
      for tile in stride(from: 0, to: tileCount, by: tiles) {
        pieces.append(
          Piece(
            job: job, firstTile: tile, endTile: min(tile + tiles, tileCount), firstToken: first,
            tokenCount: count))
      }
    }
  }

  /// What a tile costs a thread, roughly.
  static func tileNanoseconds(tileByteCount: Int, columns: Int, tokenCount: Int) -> Double {
    let operations = Double(2 * Int(CK_TILE_ROWS) * columns * tokenCount)
    return max(
      Double(tileByteCount) / bytesPerNanosecond, operations / operationsPerNanosecond, 1)
  }

  /// The cost of a piece that gives each thread its number of pieces.
  static func share(of total: Double, threadCount: Int) -> Double {
    total / (Double(threadCount) * piecesPerThread)
  }
}
