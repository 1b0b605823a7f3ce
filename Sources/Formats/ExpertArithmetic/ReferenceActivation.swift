/// What happens between an expert's products: the activation function, and the sum over experts.
public enum ReferenceActivation {
  /// silu(gate) · up, for one number of each: `(g · σ(g)) · u`.
  public static func silu(_ gate: Float, _ up: Float) -> Float { gate * logistic(gate) * up }

  /// gpt-oss: `(g · σ(α g)) · (u + 1)` with `g = min(gate, limit)`, `u = clamp(up, −limit, limit)`.
  /// A NaN stays one.
  public static func clampedSwiGLU(
    _ gate: Float, _ up: Float, alpha: Float, limit: Float
  ) -> Float {
    let g = gate > limit ? limit : gate
    let below = up > limit ? limit : up
    let u = below < -limit ? -limit : below
    return g * logistic(alpha * g) * (u + 1)
  }

  /// 1 / (1 + exp(−x)).
  public static func logistic(_ x: Float) -> Float { 1 / (1 + exponential(-x)) }

  /// exp(x): x = n ln 2 + r; the Taylor polynomial of degree 7 of exp(r), every step fused; times 2^n
  /// in two steps. 0 below −87.33654, infinity above 88.72284.
  public static func exponential(_ x: Float) -> Float {
    guard !x.isNaN else { return .nan }
    if x < -87.33654 { return 0 }
    if x > 88.72284 { return .infinity }
    let magic: Float = 12_582_912  // 1.5 · 2^23: adding it rounds to the nearest integer
    let n = magic.addingProduct(x, 1.44269504) - magic
    var r = x.addingProduct(n, -0.693145752)
    r = r.addingProduct(n, -1.42860677e-6)
    let coefficients: [Float] = [1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1]
    let p = coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, r) }
    let whole = Int32(n)
    let half = whole >> 1
    return p * powerOfTwo(half) * powerOfTwo(whole - half)
  }

  /// A token's output from its experts' rows: `y = fma(weight, row, y)` from +0, best expert first.
  ///
  /// By rank, not by expert or lane, so that it does not matter who computed which row.
  /// - Parameters:
  ///   - rows: [ranks], each of the hidden size.
  ///   - weights: [ranks].
  public static func combined(_ rows: [[Float]], weights: [Float]) -> [Float] {
    precondition(rows.count == weights.count)
    var y = [Float](repeating: 0, count: rows.first?.count ?? 0)
    for (row, weight) in zip(rows, weights) {
      for i in y.indices { y[i].addProduct(weight, row[i]) }
    }
    return y
  }

  private static func powerOfTwo(_ exponent: Int32) -> Float {
    Float(bitPattern: UInt32(exponent + 127) << 23)
  }
}
