import ExpertPrefetching
import Experts
import Testing

@Suite struct FillChooserTests {
  private func rated(_ probabilities: [Double], from first: Int = 0) -> [RatedExpert] {
    probabilities.enumerated().map {
      RatedExpert(
        expert: ExpertID(layer: 0, index: first + $0.offset), activationProbability: $0.element)
    }
  }

  private func choose(
    _ misses: [Double], _ victims: [Double], freeSlots: Int = 0, delay: Double = 0
  ) -> [FillChoice] {
    var choices: [FillChoice] = []
    FillChooser(margin: 1.1).choose(
      misses: rated(misses), victims: rated(victims, from: 10), freeSlots: freeSlots,
      hitValue: 100, delay: delay, into: &choices)
    return choices
  }

  @Test func `the likeliest miss takes the place of the first victim`() {
    let choices = choose([0.2, 0.5, 0.4], [0.1, 0.2])
    #expect(choices.map(\.expert.index) == [1, 2])
    #expect(choices.map(\.victim?.index) == [10, 11])
    #expect(abs(choices[0].expectedGain - 39) < 1e-9 && abs(choices[1].expectedGain - 18) < 1e-9)
  }

  @Test func `a free slot costs no victim`() {
    let choices = choose([0.3, 0.25], [0.2], freeSlots: 1)
    #expect(choices.map(\.victim?.index) == [nil, 10])
  }

  @Test func `a miss hardly likelier than its victim stays where it is`() {
    #expect(choose([0.21], [0.2]).isEmpty)
    #expect(choose([0.23], [0.2]).count == 1)
  }

  @Test func `a fill that delays other copies by more than it gains is left out`() {
    #expect(choose([0.5], [0.1], delay: 38).count == 1)
    #expect(choose([0.5], [0.1], delay: 40).isEmpty)
  }

  @Test func `without victims or free slots nothing is filled`() {
    #expect(choose([0.9], []).isEmpty)
    #expect(choose([], [0.1], freeSlots: 2).isEmpty)
  }
}
