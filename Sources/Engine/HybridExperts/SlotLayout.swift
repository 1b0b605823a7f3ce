import CPUCompute
import DeviceCompute
import Models

extension ExpertLayer {
  /// Where the matrices of each of the layer's experts lie in a slot.
  ///
  /// - Parameter layer: the layer's number, for the error's text.
  /// - Throws: `HybridError.unevenExperts` where the experts are not all of the same types and shapes:
  ///   one launch computes several of them.
  func slotLayout(layer: Int) throws(HybridError) -> ExpertSlotLayout {
    guard let gate = gate.first, let up = up.first, let down = down.first else {
      throw .noExperts(layer: layer)
    }
    func isEven(_ matrices: [WeightMatrix], _ first: WeightMatrix) -> Bool {
      matrices.allSatisfy {
        $0.type == first.type && $0.rowCount == first.rowCount
          && $0.columnCount == first.columnCount
      }
    }
    guard isEven(self.gate, gate), isEven(self.up, up), isEven(self.down, down) else {
      throw .unevenExperts(layer: layer)
    }
    return ExpertSlotLayout(gate: gate, up: up, down: down)
  }
}
