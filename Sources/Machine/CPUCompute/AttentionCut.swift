import CKernels

/// How a call of attention is cut into pieces for the threads. No result depends on it.
///
/// A piece is a tile of query rows of one key-value head. Where there are fewer of them than threads
/// could share evenly (an answer's token over a long context), the positions are cut into their blocks
/// too, and the blocks' results are joined in order afterwards.
struct AttentionCut {
  /// Rows of each key-value head: tokens × query heads that share it.
  let rowCount: Int
  let headCount: Int
  /// Query heads that share a key-value head.
  let group: Int
  let tileRows: Int
  /// Tiles of each key-value head.
  let tileCount: Int
  let blocks: Range<Int>
  let splitsBlocks: Bool

  /// Pieces of about equal cost that each thread should have, so that they end together.
  private static let piecesPerThread = 4
  /// Tiles are not halved below these: fewer rows hardly repay bringing keys into F32, and least of all
  /// where threads would only end together more evenly.
  private static let fewestRows = 8
  private static let fewestEvenRows = 32
  /// Partial results of more bytes are not kept: rows are many then, and suffice.
  private static let mostPartialBytes = 64 << 20

  /// - Parameters:
  ///   - blocks: the blocks of positions that the tokens see.
  ///   - mayPartition: whether blocks' results may be joined afterwards.
  init(
    tokenCount: Int, blocks: Range<Int>, keyHeadCount: Int, shape: AttentionShape, threadCount: Int,
    mayPartition: Bool
  ) {
    group = shape.headCount / keyHeadCount
    headCount = keyHeadCount
    rowCount = tokenCount * group
    self.blocks = blocks
    var rows = min(rowCount, AttentionCut.mostRows(shape))
    let (total, keyHeads, blockCount) = (rowCount, keyHeadCount, blocks.count)
    func tiles() -> Int { (total + rows - 1) / rows * keyHeads }
    var splits = false
    if threadCount > 1, mayPartition {
      let bytes = total * keyHeads * blockCount * ck_attention_partial(shape.valueLength) * 4
      splits =
        blockCount > 1 && tiles() < threadCount * AttentionCut.piecesPerThread
        && bytes <= AttentionCut.mostPartialBytes
    }
    while threadCount > 1 {
      let pieces = tiles() * (splits ? blockCount : 1)
      let isUneven = pieces < threadCount * AttentionCut.piecesPerThread
      guard
        rows > AttentionCut.fewestEvenRows && isUneven
          || rows > AttentionCut.fewestRows && pieces < threadCount
      else { break }
      rows = (rows + 1) / 2
    }
    tileRows = rows
    tileCount = (rowCount + rows - 1) / rows
    splitsBlocks = splits
  }

  /// As many rows as keep a tile's queries, scores and results in half of a second-level cache of 1 MiB,
  /// 64 at least: for them bringing keys and values into F32 is a tenth of the work.
  private static func mostRows(_ shape: AttentionShape) -> Int {
    let perRow = shape.keyLength + 2 * shape.valueLength + Int(CK_ATTENTION_BLOCK)
    return min(Int(CK_ATTENTION_ROWS), max(64, (512 << 10) / 4 / perRow))
  }

  /// The blocks that tokens from `position` on see.
  static func blocks(tokenCount: Int, position: Int, window: Int?) -> Range<Int> {
    let lowest = window.map { max(0, position - $0 + 1) } ?? 0
    let block = Int(CK_ATTENTION_BLOCK)
    return lowest / block..<(position + max(tokenCount, 1) - 1) / block + 1
  }

  var pieceCount: Int { headCount * tileCount * (splitsBlocks ? blocks.count : 1) }

  /// What piece `index` is. Late rows see the most positions and come first, so that short pieces fill
  /// the threads' last moments.
  func piece(_ index: Int) -> (head: Int, tile: Int, rows: Range<Int>, blocks: Range<Int>) {
    let perHead = splitsBlocks ? blocks.count : 1
    let tile = tileCount - 1 - index / (headCount * perHead)
    let head = index / perHead % headCount
    let block = blocks.lowerBound + index % perHead
    return (head, tile, rows(ofTile: tile), splitsBlocks ? block..<block + 1 : blocks)
  }

  func rows(ofTile tile: Int) -> Range<Int> {
    tile * tileRows..<min((tile + 1) * tileRows, rowCount)
  }

  /// Where the partial results of a head's tile begin, in floats. [blocks][rows][partial]
  func partialOffset(head: Int, tile: Int, valueLength: Int) -> Int {
    (head * tileCount + tile) * blocks.count * tileRows * ck_attention_partial(valueLength)
  }

  func partialCount(valueLength: Int) -> Int {
    splitsBlocks ? partialOffset(head: headCount, tile: 0, valueLength: valueLength) : 0
  }
}
