import CKernels
import ExpertArithmetic
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

/// Gate and up of an expert, and what the reference makes of them.
private struct GatedCase {
  let gateType: ElementType
  let upType: ElementType
  let columns: Int
  let rows: Int
  let gate: [UInt8]
  let up: [UInt8]
  let x: [[Float]]
  let bias: [Float]?
  let clamped: Bool
  /// [tokens][rows]
  let expected: [[Float]]

  init(
    gate gateType: ElementType, up upType: ElementType, rows: Int, columns: Int, tokens: Int,
    bias hasBias: Bool, clamped: Bool
  ) throws {
    var hard = HardRows(seed: 51 + UInt64(gateType.rawValue))
    let gateBytes = hard.weights(gateType, rows: rows, columns: columns)
    let upBytes = hard.weights(upType, rows: rows, columns: columns)
    x = (0..<tokens).map { hard.activations(columns: columns, token: $0, finite: $0 > 7) }
    bias = hasBias ? (0..<rows).map { Float($0 % 7) - 3.5 } : nil
    let (gateProduct, upProduct) = (
      try ReferenceProduct(gateBytes, type: gateType, columns: columns),
      try ReferenceProduct(upBytes, type: upType, columns: columns)
    )
    expected = x.map { [bias] x in
      zip(gateProduct(x, bias: bias), upProduct(x, bias: bias)).map { gate, up in
        clamped
          ? ReferenceActivation.clampedSwiGLU(gate, up, alpha: 1.702, limit: 7)
          : ReferenceActivation.silu(gate, up)
      }
    }
    (gate, up) = (gateBytes, upBytes)
    (self.gateType, self.upType, self.rows, self.columns) = (gateType, upType, rows, columns)
    self.clamped = clamped
  }

  /// The records that one instruction set writes, in two calls.
  func run(_ set: InstructionSet, outWidth: Int, packedWeights: Bool) throws -> [KernelMemory] {
    let kernels = try #require(set.kernels)
    let gateRecords = try x.map {
      try record(set, $0, width: ck_activation_width(gateType.rawValue))
    }
    let upRecords = try x.map { try record(set, $0, width: ck_activation_width(upType.rawValue)) }
    let outs = x.map { _ in
      KernelMemory(byteCount: ck_record_offset(rows, outWidth, Int32(CK_RECORD_END.rawValue)))
    }
    let packedGate =
      packedWeights ? try packed(set, gateType, gate, rows: rows, columns: columns) : nil
    let packedUp = packedWeights ? try packed(set, upType, up, rows: rows, columns: columns) : nil
    let gateInputs = gateRecords.map { UnsafeRawPointer($0.base) as UnsafeRawPointer? }
    let upInputs = upRecords.map { UnsafeRawPointer($0.base) as UnsafeRawPointer? }
    let outputs = outs.map { $0.base as UnsafeMutableRawPointer? }
    let tiles = (rows + 15) / 16
    let middle = tiles / 2 / 16 * 16
    gate.withUnsafeBytes { gate in
      up.withUnsafeBytes { up in
        gateInputs.withUnsafeBufferPointer { gateInputs in
          upInputs.withUnsafeBufferPointer { upInputs in
            outputs.withUnsafeBufferPointer { outputs in
              (bias ?? []).withUnsafeBufferPointer { bias in
                let biasBase = self.bias == nil ? nil : bias.baseAddress
                var job = ck_gated_job(
                  gate: weights(gate, gateType, packedGate), up: weights(up, upType, packedUp),
                  gate_panel: nil, up_panel: nil, gate_x: gateInputs.baseAddress,
                  up_x: upInputs.baseAddress,
                  gate_bias: biasBase, up_bias: biasBase, out: outputs.baseAddress,
                  out_width: outWidth, tokens: x.count,
                  activation: Int32(clamped ? CK_CLAMPED_SWIGLU : CK_SILU), alpha: 1.702, limit: 7)
                let scratch = KernelMemory(byteCount: ck_gated_scratch(&job.gate, &job.up))
                #expect(kernels.gated_product(&job, middle, tiles, scratch.base) == 0)
                #expect(kernels.gated_product(&job, 0, middle, scratch.base) == 0)
              }
            }
          }
        }
      }
    }
    _ = (gateRecords, upRecords, packedGate, packedUp)  // they live until here
    return outs
  }

  private func weights(
    _ native: UnsafeRawBufferPointer, _ type: ElementType, _ tiles: KernelMemory?
  ) -> ck_weights {
    ck_weights(
      native: native.baseAddress, packed: tiles.map { UnsafeRawPointer($0.base) },
      row_bytes: native.count / rows, rows: rows, columns: columns, element_type: type.rawValue)
  }
}

@Suite struct GatedProductTests {
  @Test(arguments: readableTypes, [0, 32])
  func `a gated product has the reference's bits, and so has its record`(
    _ type: ElementType, outWidth: Int
  ) throws {
    let columns = type.elementsPerBlock == 1 ? 11 : type.elementsPerBlock
    for (rows, tokens) in outWidth == 0 ? [(1, 3), (21, 4)] : [(32, 4), (96, 1)] {
      let gated = try GatedCase(
        gate: type, up: type, rows: rows, columns: columns, tokens: tokens, bias: rows % 3 == 0,
        clamped: rows == 21 || rows == 96)
      try check(gated, outWidth: outWidth)
    }
  }

  @Test func `records of 256 numbers and several panels are written by parts`() throws {
    for (rows, tokens) in [(256, 3), (512, 1)] {
      let gated = try GatedCase(
        gate: .q4_0, up: .q4_0, rows: rows, columns: 32, tokens: tokens, bias: true, clamped: false)
      try check(gated, outWidth: 256)
    }
  }

  @Test func `more tokens than a panel has are taken in turn`() throws {
    let gated = try GatedCase(
      gate: .q8_0, up: .q8_0, rows: 32, columns: 32, tokens: 131, bias: false, clamped: false)
    try check(gated, outWidth: 32)
  }

  @Test func `gate and up may be stored in different types`() throws {
    let gated = try GatedCase(
      gate: .q4_K, up: .q6_K, rows: 32, columns: 256, tokens: 2, bias: false, clamped: false)
    try check(gated, outWidth: 32)
    let mixed = try GatedCase(
      gate: .q8_0, up: .f16, rows: 5, columns: 64, tokens: 2, bias: true, clamped: true)
    try check(mixed, outWidth: 0)
  }

  private func check(_ gated: GatedCase, outWidth: Int) throws {
    for set in availableSets {
      for packedWeights in [true, false] {
        let outs = try gated.run(set, outWidth: outWidth, packedWeights: packedWeights)
        for (token, out) in outs.enumerated() {
          let expected = gated.expected[token]
          if outWidth == 0 {
            let wrong = zip(out.floats(gated.rows), expected).filter { !isSame($0, $1) }
            #expect(wrong.isEmpty, "\(set), token \(token): \(wrong.prefix(3))")
          } else {
            let row = QuantizedRow(expected, width: outWidth)
            #expect(out.bytes == expectedRecord(row), "\(set), token \(token)")
          }
        }
      }
    }
  }
}
