import CKernels

extension CPUBackend {
  /// Numbers in one piece of elementwise work: below it a fork costs more than it saves.
  private static let numbersPerChunk = 16_384

  /// Runs `body` once for each row, on all threads where there is enough to do.
  func forEachRow(count: Int, width: Int, _ body: (Int) -> Void) {
    let rowsPerChunk = max(1, CPUBackend.numbersPerChunk / max(width, 1))
    let chunkCount = (count + rowsPerChunk - 1) / rowsPerChunk
    team.forEachChunk(count: chunkCount) { _, chunk in
      for row in (chunk * rowsPerChunk)..<min((chunk + 1) * rowsPerChunk, count) { body(row) }
    }
  }

  /// y = x / √(mean(x²) + ε) · weight, for each row, or for each of the `segments` equal parts of it
  /// (per-head norms). x, y: [tokens, segments × weight.count]; y may be x. Where y keeps records, each
  /// row is quantised while it is in the cache.
  public func normalize(
    _ x: Activation, weight: FloatVector, epsilon: Float, segments: Int = 1, into y: Activation
  ) {
    precondition(x.columnCount == segments * weight.count && y.columnCount == x.columnCount)
    precondition(y.rowCount == x.rowCount)
    let widths = y.recordWidths
    forEachRow(count: x.rowCount, width: x.columnCount) { row in
      for segment in 0..<segments {
        let offset = segment * weight.count
        kernels.rms_norm(
          x.row(row) + offset, weight.base, epsilon, y.row(row) + offset, weight.count)
      }
      for width in widths {
        if let records = y.records(ofWidth: width) { quantize(y, row, into: records) }
      }
    }
    y.changed(quantized: widths)
  }

  /// x += change, then y = x / √(mean(x²) + ε) · weight: the end of one block and the norm of the next, a
  /// row at a time. x, change, y: [tokens, weight.count].
  public func add(
    _ change: Activation, to x: Activation, normalizedBy weight: FloatVector, epsilon: Float,
    into y: Activation
  ) {
    precondition(x.columnCount == weight.count && y.columnCount == x.columnCount)
    precondition(y.rowCount == x.rowCount && change.rowCount == x.rowCount)
    let widths = y.recordWidths
    forEachRow(count: x.rowCount, width: x.columnCount) { row in
      kernels.add_scaled(x.row(row), change.row(row), 1, x.columnCount)
      kernels.rms_norm(x.row(row), weight.base, epsilon, y.row(row), weight.count)
      for width in widths {
        if let records = y.records(ofWidth: width) { quantize(y, row, into: records) }
      }
    }
    y.changed(quantized: widths)
  }

  /// y += scale · x.
  public func add(_ x: Activation, scale: Float = 1, to y: Activation) {
    precondition(x.rowCount == y.rowCount && x.columnCount == y.columnCount)
    forEachRow(count: x.rowCount, width: x.columnCount) { row in
      kernels.add_scaled(y.row(row), x.row(row), scale, x.columnCount)
    }
  }

  /// gate = activation(gate, up), element by element.
  public func activate(_ function: GatedActivation, gate: Activation, up: Activation) {
    precondition(gate.rowCount == up.rowCount && gate.columnCount == up.columnCount)
    forEachRow(count: gate.rowCount, width: gate.columnCount) { row in
      switch function {
      case .silu:
        kernels.silu_multiply(gate.row(row), up.row(row), gate.columnCount)
      case .clampedSwiGLU(let alpha, let limit):
        kernels.clamped_swiglu(gate.row(row), up.row(row), alpha, limit, gate.columnCount)
      }
    }
  }

  /// Each row becomes its softmax.
  public func softmax(_ x: Activation) {
    forEachRow(count: x.rowCount, width: x.columnCount) {
      kernels.softmax(x.row($0), x.columnCount)
    }
  }

  /// Each number becomes 1 / (1 + e⁻ˣ).
  public func sigmoid(_ x: Activation) {
    forEachRow(count: x.rowCount, width: x.columnCount) {
      kernels.sigmoid(x.row($0), x.columnCount)
    }
  }

  /// Rotates `2 × pairCount` numbers of every head, from `offset` in the head on, by the row's angles
  /// (rotary position embedding). x: [tokens, heads × headLength].
  public func rotate(
    _ x: Activation, headCount: Int, headLength: Int, offset: Int, angles: RotaryAngles,
    layout: RotaryLayout
  ) {
    precondition(x.columnCount == headCount * headLength && angles.rowCount >= x.rowCount)
    precondition(offset + 2 * angles.pairCount <= headLength)
    forEachRow(count: x.rowCount, width: x.columnCount) { row in
      for head in 0..<headCount {
        kernels.rotate(
          x.row(row) + head * headLength + offset, angles.cosines(row), angles.sines(row),
          angles.pairCount, layout == .halves ? 1 : 0)
      }
    }
  }

  /// y[token] = Σ over ranks, ascending, of weights[token × ranks + rank] · x[order[token × ranks + rank]].
  /// x: [tokens × ranks, columns] in any order, y: [tokens, columns], overwritten.
  public func combine(
    _ x: Activation, order: [Int], weights: [Float], ranks: Int, into y: Activation
  ) {
    precondition(order.count == y.rowCount * ranks && weights.count == order.count)
    precondition(x.columnCount == y.columnCount)
    forEachRow(count: y.rowCount, width: y.columnCount * ranks) { row in
      y.row(row).update(repeating: 0, count: y.columnCount)
      for pair in (row * ranks)..<((row + 1) * ranks) {
        kernels.add_scaled(y.row(row), x.row(order[pair]), weights[pair], y.columnCount)
      }
    }
  }
}

/// How an expert's gate and up projections meet.
public enum GatedActivation: Sendable, Equatable {
  /// silu(gate) · up
  case silu
  /// g σ(α g) (u + 1) with g = min(gate, limit), u = clamp(up, −limit, limit) (gpt-oss).
  case clampedSwiGLU(alpha: Float, limit: Float)
}

/// Which numbers of a head form a rotated pair.
public enum RotaryLayout: Sendable {
  /// (x[i], x[i + n / 2])
  case halves
  /// (x[2 i], x[2 i + 1])
  case interleaved
}

/// Cosines and sines of the rotary angles of some positions: [positions, pairs] each.
public final class RotaryAngles {
  public let rowCount: Int
  public let pairCount: Int
  private let cosineMemory: ActivationBuffer
  private let sineMemory: ActivationBuffer

  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(rowCount: Int, pairCount: Int) throws {
    self.rowCount = rowCount
    self.pairCount = pairCount
    cosineMemory = try ActivationBuffer(rowCount: rowCount, columnCount: pairCount)
    sineMemory = try ActivationBuffer(rowCount: rowCount, columnCount: pairCount)
  }

  public func cosines(_ row: Int) -> UnsafeMutablePointer<Float> {
    cosineMemory.activation.row(row)
  }
  public func sines(_ row: Int) -> UnsafeMutablePointer<Float> { sineMemory.activation.row(row) }
}

extension CPUBackend {
  /// A few numbers become their softmax, on the calling thread.
  public static func softmax(_ values: UnsafeMutablePointer<Float>, count: Int) {
    InstructionSet.best.kernels?.softmax(values, count)
  }
}
