/// Random numbers that a seed decides: xoshiro256** seeded through SplitMix64.
///
/// Written out here, and not taken from the system, so that a seed means the same text and the same
/// trace on every machine and in every version. Both algorithms are by Blackman and Vigna, in the
/// public domain: https://prng.di.unimi.it. Not for cryptography.
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
  private var s0, s1, s2, s3: UInt64

  /// A source whose four words are the first four of SplitMix64 started at `seed`.
  public init(seed: UInt64) {
    var mix = seed
    func word() -> UInt64 {
      mix &+= 0x9E37_79B9_7F4A_7C15
      var z = mix
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    self.init(state: (word(), word(), word(), word()))
  }

  /// A source in a given state, which must not be all zero (that state only yields zeros).
  init(state: (UInt64, UInt64, UInt64, UInt64)) {
    precondition(state != (0, 0, 0, 0), "the all-zero state never leaves itself")
    (s0, s1, s2, s3) = state
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = Self.rotate(s1 &* 5, by: 7) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = Self.rotate(s3, by: 45)
    return result
  }

  /// A number in [0, 1), one of 2^53 equally spaced ones.
  public mutating func nextUnit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  private static func rotate(_ word: UInt64, by count: UInt64) -> UInt64 {
    (word << count) | (word >> (64 - count))
  }
}
