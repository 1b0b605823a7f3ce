import CPUCompute
import GGUF

#if canImport(Glibc)
  import Glibc
#endif

/// The angles of the rotary position embedding: pair i of a head turns by position × frequency i.
///
/// YaRN (arXiv 2309.00071): fast pairs keep their frequency, slow ones are divided by the factor, a
/// ramp lies between; cosines and sines are then multiplied by `magnitude`.
public struct RotaryEmbedding: Sendable {
  /// Radians per position. [pairs]
  public let frequencies: [Double]
  /// What cosines and sines are multiplied by.
  public let magnitude: Double
  public let layout: RotaryLayout
  /// ln(factor) of YaRN, 0 without it: attention scales of some models use it.
  public let yarnLogFactor: Double

  public var pairCount: Int { frequencies.count }

  /// Reads the scaling keys of a file.
  /// - Parameters:
  ///   - dimensionCount: numbers of a head that are rotated; even.
  ///   - factors: what each frequency is divided by, where the file has such a tensor.
  ///   - magnitude: the cosines' factor for a YaRN of ln(factor), as the architecture defines it.
  /// - Throws: `ModelError.wrongValue` for a kind of scaling that is not known.
  init(
    _ keys: ArchitectureKeys, dimensionCount: Int, layout: RotaryLayout, contextLength: Int,
    factors: FloatVector? = nil, magnitude: (Double) -> Double = { 1 + 0.1 * $0 }
  ) throws {
    guard dimensionCount >= 2, dimensionCount % 2 == 0 else {
      throw keys.wrong(
        "rope.dimension_count", expected: "an even number", found: "\(dimensionCount)")
    }
    self.layout = layout
    let base = Double(try keys.real("rope.freq_base", in: 1.0e-3...1.0e15, default: 10_000))
    let linear = try keys.metadata.realIfPresent(keys.full("rope.scale_linear")) ?? 1
    let factor = Double(try keys.real("rope.scaling.factor", in: 0...1.0e6, default: linear))
    let divisor = factor == 0 ? 1 : factor
    let pairs = dimensionCount / 2
    var frequencies = (0..<pairs).map { pow(base, -2 * Double($0) / Double(dimensionCount)) }
    if let factors, factors.count == pairs {
      for pair in 0..<pairs { frequencies[pair] /= Double(factors[pair]) }
    }
    let kind = try keys.string("rope.scaling.type", default: "linear")
    switch kind {
    case "none":
      self.magnitude = 1
      yarnLogFactor = 0
    case "linear":
      frequencies = frequencies.map { $0 / divisor }
      self.magnitude = 1
      yarnLogFactor = 0
    case "yarn":
      let ramp = try YarnRamp(
        keys, dimensionCount: dimensionCount, base: base, contextLength: contextLength)
      frequencies = frequencies.enumerated().map { pair, frequency in
        let kept = ramp.kept(pair)
        return frequency / divisor * (1 - kept) + frequency * kept
      }
      yarnLogFactor = divisor > 1 ? log(divisor) : 0
      var own = 1.0
      for key in ["rope.scaling.attn_factor", "rope.scaling.yarn_attn_factor"] {
        let factor = Double(try keys.real(key, in: -1...1.0e3, default: 1))
        // 0 and -1 stand for "not said".
        if factor > 0 { own *= factor }
      }
      self.magnitude = magnitude(yarnLogFactor) * own
    default:
      throw keys.wrong("rope.scaling.type", expected: "none, linear or yarn", found: kind)
    }
    self.frequencies = frequencies
  }

  /// The rotated numbers of a head: `rope.dimension_count`, all of them where the key is missing.
  /// - Throws: `ModelError.wrongValue` where a head has no room for them.
  static func dimensionCount(_ keys: ArchitectureKeys, headLength: Int) throws -> Int {
    let found = try keys.countIfPresent("rope.dimension_count", in: 2...65_536) ?? headLength
    guard found >= 2, found <= headLength else {
      throw keys.wrong(
        "rope.dimension_count", expected: "2 to the head's \(headLength)", found: "\(found)")
    }
    return found
  }

  /// Fills the angles of the positions `start`, `start + 1`, ….
  package func fill(_ angles: RotaryAngles, from start: Int, count: Int) {
    for row in 0..<count {
      let cosines = angles.cosines(row)
      let sines = angles.sines(row)
      for pair in 0..<pairCount {
        let angle = Double(start + row) * frequencies[pair]
        cosines[pair] = Float(cos(angle) * magnitude)
        sines[pair] = Float(sin(angle) * magnitude)
      }
    }
  }
}

/// Which pairs YaRN leaves alone: those that turn more than `betaFast` times within the original
/// context entirely, those below `betaSlow` turns not at all.
private struct YarnRamp {
  let low: Double
  let high: Double

  init(
    _ keys: ArchitectureKeys, dimensionCount: Int, base: Double, contextLength: Int
  ) throws {
    let original = try keys.count(
      "rope.scaling.original_context_length", in: 1...(1 << 26), default: contextLength)
    let fast = Double(try keys.real("rope.scaling.yarn_beta_fast", in: 1.0e-3...1.0e4, default: 32))
    let slow = Double(try keys.real("rope.scaling.yarn_beta_slow", in: 1.0e-3...1.0e4, default: 1))
    let extrapolation = try keys.real("rope.scaling.yarn_ext_factor", in: -1...1, default: 1)
    guard extrapolation == 1 || extrapolation == -1 else {
      throw keys.wrong("rope.scaling.yarn_ext_factor", expected: "1", found: "\(extrapolation)")
    }
    let count = Double(dimensionCount)
    func pair(turning times: Double) -> Double {
      count * log(Double(original) / (times * 2 * Double.pi)) / (2 * log(base))
    }
    low = max(0, pair(turning: fast).rounded(.down))
    high = min(count - 1, pair(turning: slow).rounded(.up))
  }

  /// 1: the frequency is kept; 0: divided by the factor.
  func kept(_ pair: Int) -> Double {
    1 - min(1, max(0, (Double(pair) - low) / max(0.001, high - low)))
  }
}
