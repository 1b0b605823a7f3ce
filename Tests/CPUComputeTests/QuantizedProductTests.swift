import CKernels
import ExpertArithmetic
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

/// A matrix with hard rows, rows of activations, and what the reference makes of them.
private struct ProductCase {
  let type: ElementType
  let columns: Int
  let rows: Int
  let weights: [UInt8]
  let x: [[Float]]
  let bias: [Float]
  /// [tokens][rows], without and with the bias.
  let plain: [[Float]]
  let biased: [[Float]]

  init(
    _ type: ElementType, rows: Int, columns: Int, tokens: Int, seed: UInt64, finite: Bool = false
  ) throws {
    var hard = HardRows(seed: seed)
    weights = hard.weights(type, rows: rows, columns: columns)
    x = (0..<tokens).map { hard.activations(columns: columns, token: $0, finite: finite) }
    bias = (0..<rows).map { Float($0) - 3.5 }
    let product = try ReferenceProduct(weights, type: type, columns: columns)
    let rowsOfY = x.map { product($0) }
    plain = rowsOfY
    biased = rowsOfY.map { [bias] in zip($0, bias).map { $0 + $1 } }
    self.type = type
    self.rows = rows
    self.columns = columns
  }

  /// The first `rows` rows times the first `tokens` tokens by the kernels of one instruction set:
  /// where numbers differ from the reference.
  func wrongPlaces(
    _ set: InstructionSet, rows: Int, tokens: Int, packedWeights: Bool, bias hasBias: Bool
  ) throws -> [String] {
    let kernels = try #require(set.kernels)
    let width = ck_activation_width(type.rawValue)
    let records = try x.prefix(tokens).map { try record(set, $0, width: width) }
    let native = Array(weights.prefix(weights.count / self.rows * rows))
    let tiles =
      packedWeights
      ? try packed(set, type, native, rows: rows, columns: columns) : nil
    let scratch = KernelMemory(byteCount: ck_product_scratch(type.rawValue, columns))
    let y = KernelMemory(byteCount: 4 * rows * tokens)
    let inputs = records.map { UnsafeRawPointer($0.base) as UnsafeRawPointer? }
    let outputs = (0..<tokens).map {
      (y.base + 4 * rows * $0).assumingMemoryBound(to: Float.self) as UnsafeMutablePointer<Float>?
    }
    let tileCount = (rows + 15) / 16
    let recordBytes = ck_record_offset(
      columns, ck_activation_width(type.rawValue), Int32(CK_RECORD_END.rawValue))
    // Products of packed weights get a panel that was made before, the others make their own.
    let panel = tiles == nil ? nil : KernelMemory(byteCount: tokens * recordBytes)
    if let panel { kernels.interleave(inputs, tokens, recordBytes, panel.base) }
    let code = native.withUnsafeBytes { native in
      inputs.withUnsafeBufferPointer { inputs in
        outputs.withUnsafeBufferPointer { outputs in
          bias.withUnsafeBufferPointer { bias in
            var job = ck_product_job(
              weights: ck_weights(
                native: native.baseAddress, packed: tiles.map { UnsafeRawPointer($0.base) },
                row_bytes: native.count / rows, rows: rows, columns: columns,
                element_type: type.rawValue),
              panel: panel.map { UnsafeRawPointer($0.base) }, x: inputs.baseAddress,
              y: outputs.baseAddress,
              bias: hasBias ? bias.baseAddress : nil, tokens: tokens)
            return kernels.product(&job, tileCount / 2, tileCount, scratch.base)
              | kernels.product(&job, 0, tileCount / 2, scratch.base)
          }
        }
      }
    }
    #expect(code == 0)
    let expected = hasBias ? biased : plain
    var wrong: [String] = []
    for token in 0..<tokens {
      let found = y.floats(rows, at: 4 * rows * token)
      for row in 0..<rows where !isSame(found[row], expected[token][row]) {
        wrong.append("[\(token), \(row)] \(found[row]), not \(expected[token][row])")
      }
    }
    _ = records  // they live until here
    return wrong
  }
}

@Suite struct QuantizedProductTests {
  @Test(arguments: readableTypes)
  func `a product has the reference's bits for any number of rows`(_ type: ElementType) throws {
    let columns = type.elementsPerBlock == 1 ? 9 : type.elementsPerBlock
    let hard = try ProductCase(type, rows: 50, columns: columns, tokens: 4, seed: 41)
    for rows in 1...50 {
      let set = availableSets[rows % availableSets.count]
      for set in rows % 8 <= 1 ? availableSets : [set] {
        let wrong = try hard.wrongPlaces(
          set, rows: rows, tokens: rows % 4 + 1, packedWeights: rows % 2 == 0, bias: rows % 3 == 0)
        #expect(wrong.isEmpty, "\(set), \(rows) rows: \(wrong.prefix(3))")
      }
    }
  }

  @Test(arguments: readableTypes)
  func `a product has the reference's bits for any number of tokens`(_ type: ElementType) throws {
    let columns = type.elementsPerBlock == 1 ? 9 : type.elementsPerBlock
    let hard = try ProductCase(type, rows: 17, columns: columns, tokens: 40, seed: 42)
    for tokens in 1...40 {
      let set = availableSets[tokens % availableSets.count]
      for set in tokens <= 13 || tokens % 8 == 0 ? availableSets : [set] {
        let wrong = try hard.wrongPlaces(
          set, rows: 17, tokens: tokens, packedWeights: tokens % 3 != 0, bias: tokens % 2 == 0)
        #expect(wrong.isEmpty, "\(set), \(tokens) tokens: \(wrong.prefix(3))")
      }
    }
  }

  @Test(arguments: readableTypes)
  func `a product has the reference's bits for any number of blocks, empty segments included`(
    _ type: ElementType
  ) throws {
    for blocks in 1...9 {
      let hard = try ProductCase(
        type, rows: 18, columns: blocks * type.elementsPerBlock, tokens: 4,
        seed: 43 + UInt64(blocks), finite: blocks % 2 == 0)
      for set in availableSets {
        for (packedWeights, bias) in [(true, false), (false, true)] {
          let wrong = try hard.wrongPlaces(
            set, rows: 18, tokens: 4, packedWeights: packedWeights, bias: bias)
          #expect(wrong.isEmpty, "\(set), \(blocks) blocks: \(wrong.prefix(3))")
        }
      }
    }
  }

  /// All codes, all scales and all activations as large as they can be, so that every sum is.
  @Test(arguments: readableTypes.filter { $0.elementsPerBlock > 1 })
  func `the largest sums of a block are exact`(_ type: ElementType) throws {
    let columns = type.elementsPerBlock * 2
    for byte in [UInt8(0xFF), 0x80, 0x7F, 0x00] {
      for sign in [Float(1), -1] {
        let native = [UInt8](
          repeating: byte, count: try #require(type.byteCount(ofRow: columns)) * 2)
        var weights = native
        for block in stride(from: 0, to: weights.count, by: type.bytesPerBlock) {
          setOrdinaryScales(type, &weights, at: block)
        }
        let x = [Float](repeating: sign, count: columns)
        let reference = try ReferenceProduct(weights, type: type, columns: columns)
        let expected = reference(x)
        for set in availableSets {
          let found = try product(set, type, weights, rows: 2, x)
          #expect(
            zip(found, expected).allSatisfy(isSame), "\(set), byte \(byte): \(found), \(expected)")
        }
      }
    }
  }

  private func setOrdinaryScales(_ type: ElementType, _ bytes: inout [UInt8], at block: Int) {
    let offsets: [Int] =
      switch type {
      case .q2_K: [80, 82]
      case .q3_K: [108]
      case .q6_K: [208]
      case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
      case .mxfp4: []
      default: [0]
      }
    if type == .mxfp4 { bytes[block] = 127 }
    for offset in offsets {
      bytes[block + offset] = 0x00
      bytes[block + offset + 1] = 0x3C  // 1
    }
  }

  private func product(
    _ set: InstructionSet, _ type: ElementType, _ weights: [UInt8], rows: Int, _ x: [Float]
  ) throws -> [Float] {
    let kernels = try #require(set.kernels)
    let input = try record(set, x, width: ck_activation_width(type.rawValue))
    let scratch = KernelMemory(byteCount: ck_product_scratch(type.rawValue, x.count))
    let y = KernelMemory(byteCount: 4 * rows)
    var inputs: UnsafeRawPointer? = UnsafeRawPointer(input.base)
    var outputs: UnsafeMutablePointer<Float>? = y.base.assumingMemoryBound(to: Float.self)
    weights.withUnsafeBytes { weights in
      withUnsafePointer(to: &inputs) { inputs in
        withUnsafePointer(to: &outputs) { outputs in
          var job = ck_product_job(
            weights: ck_weights(
              native: weights.baseAddress, packed: nil, row_bytes: weights.count / rows, rows: rows,
              columns: x.count, element_type: type.rawValue),
            panel: nil, x: inputs, y: outputs, bias: nil, tokens: 1)
          #expect(kernels.product(&job, 0, 1, scratch.base) == 0)
        }
      }
    }
    return y.floats(rows)
  }
}
