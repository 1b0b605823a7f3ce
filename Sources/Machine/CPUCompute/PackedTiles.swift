import CKernels

/// Packed tiles for whoever else reads them: a device has the same layout as the kernels of this processor, so
/// that one packed copy serves both.
extension WeightMatrix {
  /// Bytes of all packed tiles.
  public var packedByteCount: Int { tileCount * tileByteCount }

  /// The packed copy, where it is there already. It stays where it is as long as the store.
  public var packedTiles: UnsafeRawBufferPointer? {
    slot?.tiles.map { UnsafeRawBufferPointer(start: $0, count: packedByteCount) }
  }

  /// The packed copy in the matrix's store, made now where it is not there: what the products of this
  /// processor read from then on, and what an upload copies.
  /// - Returns: nil where the matrix has no store, or the store is full.
  public func packedBytes(by compute: CPUBackend) -> UnsafeRawBufferPointer? {
    if let packedTiles { return packedTiles }
    guard let slot, let target = slot.claimNow(byteCount: packedByteCount) else { return nil }
    compute.packTiles([(self, target)])
    slot.publish()
    slot.store.giveBack(base, byteCount: byteCount)
    return packedTiles
  }
}

extension CPUBackend {
  /// Some tiles of a matrix, packed or copied from where they are packed, on all threads. Nothing of them is
  /// kept.
  /// - Parameter target: as many times the bytes of a tile, 64-aligned.
  public func copyTiles(
    _ tiles: Range<Int>, of weights: WeightMatrix, into target: UnsafeMutableRawPointer
  ) {
    precondition(tiles.lowerBound >= 0 && tiles.upperBound <= weights.tileCount)
    let tileByteCount = weights.tileByteCount
    if let packed = weights.packedTiles?.baseAddress {
      target.copyMemory(
        from: packed + tiles.lowerBound * tileByteCount, byteCount: tiles.count * tileByteCount)
      return
    }
    // Packed as the tiles of a matrix of their own, which begins at the first of them.
    let first = tiles.lowerBound * Int(CK_TILE_ROWS)
    let rows = min(tiles.count * Int(CK_TILE_ROWS), weights.rowCount - first)
    packTiles([(WeightMatrix(part: weights, rows: first..<(first + rows)), target)])
  }
}
