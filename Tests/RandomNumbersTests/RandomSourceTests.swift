import Testing

@testable import RandomNumbers

@Suite struct `Random source` {
  // Published outputs of the reference implementation from the state 1, 2, 3, 4, as the rand_xoshiro
  // package of Rust lists them.
  @Test func `follows the published numbers of xoshiro256**`() {
    var source = RandomSource(state: (1, 2, 3, 4))
    let expected: [UInt64] = [
      11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
      607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
      10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
    ]
    #expect(expected.indices.map { _ in source.next() } == expected)
  }

  // SplitMix64 started at 1234567 yields 6457827717110365317, 3203168211198807973,
  // 9817491932198370423, 4593380528125082431 (published with the reference code's ports).
  @Test func `takes its state from SplitMix64`() {
    let expected = RandomSource(
      state: (
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431
      ))
    #expect(RandomSource(seed: 1_234_567) == expected)
  }

  @Test func `a seed of zero works`() {
    var source = RandomSource(seed: 0)
    #expect(Set((0..<100).map { _ in source.next() }).count == 100)
  }

  @Test func `unit numbers are in range, and even over ten bins`() {
    var source = RandomSource(seed: 7)
    var bins = Array(repeating: 0, count: 10)
    for _ in 0..<20_000 {
      let unit = source.nextUnit()
      #expect(unit >= 0 && unit < 1)
      bins[min(9, Int(unit * 10))] += 1
    }
    // 2000 expected in each; 5 standard deviations are 212.
    #expect(bins.allSatisfy { abs($0 - 2000) < 212 }, "\(bins)")
  }
}
