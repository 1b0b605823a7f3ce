import CKernels
import HostMemory
import Tensors

extension KernelMeter {
  /// Measures the kernels beside the products of weights: attention over a cache, norms, quantising.
  /// - Parameter positionCount: how many positions attention sees.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public func others(positionCount: Int = 1_024) throws -> [OtherSpeed] {
    ceilings.measure()
    let grouped = AttentionShape(headCount: 32, keyLength: 128, valueLength: 128, scale: 0.088)
    let latent = AttentionShape(headCount: 16, keyLength: 576, valueLength: 512, scale: 0.072)
    var speeds: [OtherSpeed] = []
    for tokenCount in [1, 128] where tokenCount <= positionCount {
      for type in [ElementType.f16, .q8_0] {
        let title = "\(type.name), \(tokenCount) of \(positionCount) tokens"
        speeds.append(
          try attention(
            "attention, 32 heads on 4 of 128, \(title)", grouped, keyHeadCount: 4, type: type,
            tokenCount: tokenCount, positionCount: positionCount))
        speeds.append(
          try attention(
            "latent attention, 16 heads on 576, \(title)", latent, keyHeadCount: 1, type: type,
            tokenCount: tokenCount, positionCount: positionCount))
      }
    }
    return try speeds + rows(positionCount: positionCount)
  }

  private func attention(
    _ name: String, _ shape: AttentionShape, keyHeadCount: Int, type: ElementType,
    tokenCount: Int, positionCount: Int
  ) throws -> OtherSpeed {
    let isLatent = keyHeadCount == 1
    let keys = try CacheRows(
      type: type, headCount: keyHeadCount, length: shape.keyLength, capacity: positionCount)
    let values =
      isLatent
      ? nil
      : try CacheRows(
        type: type, headCount: keyHeadCount, length: shape.valueLength, capacity: positionCount)
    let workspace = Workspace()
    let queries = try workspace.take(
      rows: tokenCount, columns: shape.headCount * shape.keyLength)
    let out = try workspace.take(rows: tokenCount, columns: shape.headCount * shape.valueLength)
    let source = try workspace.take(rows: 1, columns: keyHeadCount * shape.keyLength)
    for (activation, scale) in [(queries, Float(0.01)), (source, 0.02)] {
      for row in 0..<activation.rowCount {
        for column in 0..<activation.columnCount {
          activation.row(row)[column] = scale * Float((row + column) % 97 - 48)
        }
      }
    }
    for position in 0..<positionCount {
      compute.store(source, in: keys, from: position)
      if let values { compute.store(source, in: values, from: position) }
    }
    let first = positionCount - tokenCount
    let time = try best {
      try compute.attend(
        queries, keys: keys, values: values, position: first, shape: shape, into: out)
    }
    let seen = (0..<tokenCount).reduce(0) { $0 + first + $1 + 1 }
    let bytes = positionCount * (keys.positionByteCount + (values?.positionByteCount ?? 0))
    let operations = 2 * shape.headCount * seen * (shape.keyLength + shape.valueLength)
    return OtherSpeed(
      name: name, readGBps: Double(bytes) / time / 1e9, floatGOPS: Double(operations) / time / 1e9)
  }

  private func rows(positionCount: Int) throws -> [OtherSpeed] {
    let columns = 2_048
    let workspace = Workspace()
    let x = try workspace.take(rows: 128, columns: columns)
    let y = try workspace.take(rows: 128, columns: columns)
    let ones = FloatVector([Float](repeating: 1, count: columns))
    for row in 0..<x.rowCount {
      for column in 0..<columns { x.row(row)[column] = Float((row * 7 + column) % 61 - 30) }
    }
    let bytes = Double(x.rowCount * columns * MemoryLayout<Float>.stride)
    let norm = try best {
      compute.normalize(x, weight: ones, epsilon: 1e-6, into: y)
    }
    return try [
      OtherSpeed(name: "norm, 128 rows of 2048", readGBps: bytes / norm / 1e9, floatGOPS: nil)
    ]
      + [32, 256].map { width in
        let records = try workspace.takeRecords(rows: x.rowCount, columns: columns, width: width)
        let time = try best { compute.quantize([(x, records)]) }
        return OtherSpeed(
          name: "quantising in blocks of \(width), 128 rows of 2048",
          readGBps: bytes / time / 1e9, floatGOPS: nil)
      }
  }

  /// The best of the repetitions, each repeated until it takes a millisecond or so, in seconds.
  private func best(_ work: () throws -> Void) throws -> Double {
    let once = try seconds(work)
    let count = max(1, min(1_000, Int(1e-3 / once)))
    let samples = try (0..<repetitions).map { _ in
      try seconds { for _ in 0..<count { try work() } } / Double(count)
    }
    return samples.min() ?? once
  }
}
