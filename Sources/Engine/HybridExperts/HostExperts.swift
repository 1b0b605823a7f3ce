import CPUCompute
import DeviceCompute
import Devices
import Experts
import Models

/// The routed experts in host memory: one packed copy of each, which the CPU's kernels read and the link
/// carries, byte for byte as it will lie in a slot.
///
/// Layers are MoE layers, counted from 0.
final class HostExperts {
  let layers: [ExpertLayer]
  let layouts: [ExpertSlotLayout]
  private let compute: CPUBackend
  /// Packs on the calling thread: what issues copies need not be what computes.
  private let packer: CPUBackend
  private let source: PinnedSource

  /// - Throws: `HybridError` where experts of a layer differ from each other; `HostMemoryError`.
  init(
    layers: [ExpertLayer], numbers: [Int], compute: CPUBackend, source: PinnedSource
  ) throws {
    self.layers = layers
    var layouts: [ExpertSlotLayout] = []
    for (layer, number) in zip(layers, numbers) {
      layouts.append(try layer.slotLayout(layer: number))
    }
    self.layouts = layouts
    self.compute = compute
    packer = try CPUBackend(threadCount: 1, instructionSet: compute.instructionSet)
    self.source = source
  }

  /// Widths of the records that the experts read.
  var recordWidths: Set<Int> {
    Set(layouts.flatMap { [$0.gate.activationWidth, $0.up.activationWidth] })
  }

  /// Bytes of the largest tile of any expert.
  static func largestTile(_ layers: [ExpertLayer]) -> Int {
    layers.reduce(0) { most, layer in
      let matrices = [layer.gate.first, layer.up.first, layer.down.first].compactMap { $0 }
      return matrices.reduce(most) {
        max($0, DeviceMatrix(address: 0, shapeOf: $1).tileByteCount)
      }
    }
  }

  /// Bytes of a slot that holds any of the experts.
  var largestByteCount: Int { layouts.reduce(0) { max($0, $1.byteCount) } }

  func byteCount(of expert: ExpertID) -> Int { layouts[expert.layer].byteCount }

  /// Makes the packed copies of experts that are to be copied. On the thread team, so only between its
  /// other work.
  func pack(_ experts: some Sequence<ExpertID>) {
    for expert in experts {
      for (matrix, _) in parts(of: expert) { _ = matrix.packedBytes(by: compute) }
    }
  }

  /// The same on the calling thread alone, beside the team's work. Where the team packs the same
  /// matrix, one of both does it, and the other's copy finds it packed or packs on the way.
  func packAlone(_ expert: ExpertID) {
    for (matrix, _) in parts(of: expert) { _ = matrix.packedBytes(by: packer) }
  }

  /// Submits the copy of some bytes of an expert, counted as in its slot, which begins at `slot`.
  func copy(
    _ expert: ExpertID, bytes: Range<Int>, to slot: UInt64, on stream: any DeviceStream
  ) throws {
    for (matrix, place) in parts(of: expert) {
      let begin = Int(place.address)
      let wanted = bytes.clamped(to: begin..<begin + place.byteCount)
      guard !wanted.isEmpty else { continue }
      let part = wanted.lowerBound - begin..<wanted.upperBound - begin
      if let tiles = matrix.packedTiles {
        try source.copy(
          UnsafeRawBufferPointer(rebasing: tiles[part]), to: slot + UInt64(wanted.lowerBound),
          on: stream)
      } else {
        // The store had no room: packed on the way, whole tiles at a time.
        let tile = place.tileByteCount
        let tiles = part.lowerBound / tile..<(part.upperBound + tile - 1) / tile
        for index in tiles {
          let share = part.clamped(to: index * tile..<(index + 1) * tile)
          try source.make(byteCount: tile, to: slot + UInt64(begin + share.lowerBound), on: stream)
          { target in
            packer.copyTiles(index..<index + 1, of: matrix, into: target)
            return share.lowerBound - index * tile..<share.upperBound - index * tile
          }
        }
      }
    }
  }

  private func parts(of expert: ExpertID) -> [(WeightMatrix, DeviceMatrix)] {
    let layer = layers[expert.layer]
    let layout = layouts[expert.layer]
    return [
      (layer.gate[expert.index], layout.gate), (layer.up[expert.index], layout.up),
      (layer.down[expert.index], layout.down),
    ]
  }
}
