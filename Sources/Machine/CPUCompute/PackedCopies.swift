import CKernels

extension WeightMatrix {
  /// Tiles of sixteen rows of the packed layout.
  public var packedTileCount: Int { tileCount }

  /// Bytes of one of them.
  public var packedTileByteCount: Int { tileByteCount }
}

extension CPUBackend {
  /// Writes some packed tiles of a matrix, on all threads: a copy of those that are packed already, else
  /// made from the file's rows. Nothing is kept in the matrix's store.
  /// - Parameter target: `tiles.count` tiles, 64-aligned.
  public func writeTiles(
    _ tiles: Range<Int>, of weights: WeightMatrix, to target: UnsafeMutableRawPointer
  ) {
    precondition(tiles.lowerBound >= 0 && tiles.upperBound <= weights.tileCount)
    let tileByteCount = weights.tileByteCount
    let tilesPerPiece = max(1, (256 << 10) / max(1, tileByteCount))
    let pieceCount = (tiles.count + tilesPerPiece - 1) / tilesPerPiece
    let packed = weights.slot?.tiles
    team.forEachChunk(count: pieceCount) { _, piece in
      let first = tiles.lowerBound + piece * tilesPerPiece
      let count = min(tilesPerPiece, tiles.upperBound - first)
      let to = target + (first - tiles.lowerBound) * tileByteCount
      if let packed {
        to.copyMemory(from: packed + first * tileByteCount, byteCount: count * tileByteCount)
        return
      }
      weights.packTiles(first..<first + count, into: to)
    }
  }
}
