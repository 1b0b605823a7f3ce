import CPUCompute
import DeviceCompute
import Models

/// Where an expert's matrices lie in a slot: gate, up and down one after the other, packed in tiles,
/// each from a multiple of 256 bytes on. The same for all experts of a layer.
public struct SlotLayout: Sendable, Equatable {
  /// Their addresses count from the slot's begin.
  public let gate: DeviceMatrix
  public let up: DeviceMatrix
  public let down: DeviceMatrix
  /// Bytes of a slot that such an expert fills.
  public let byteCount: Int

  /// - Throws: `HybridError.unevenExperts` where a layer's experts are not all of the same types and
  ///   shapes: one launch computes several of them.
  public init(_ experts: ExpertLayer, layer: Int) throws(HybridError) {
    guard let gate = experts.gate.first, let up = experts.up.first, let down = experts.down.first
    else { throw .noExperts(layer: layer) }
    func isEven(_ matrices: [WeightMatrix], _ first: WeightMatrix) -> Bool {
      matrices.allSatisfy {
        $0.type == first.type && $0.rowCount == first.rowCount
          && $0.columnCount == first.columnCount
      }
    }
    guard isEven(experts.gate, gate), isEven(experts.up, up), isEven(experts.down, down) else {
      throw .unevenExperts(layer: layer)
    }
    var end = 0
    func place(_ matrix: WeightMatrix) -> DeviceMatrix {
      let placed = DeviceMatrix(address: UInt64(end), shapeOf: matrix)
      end += (placed.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
      return placed
    }
    self.gate = place(gate)
    self.up = place(up)
    self.down = place(down)
    byteCount = end
  }

  /// What a copy engine and every kernel's widest load are content with.
  static let alignment = 256
}
