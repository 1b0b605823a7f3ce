import ExpertScheduling
import TestSupport
import Testing

@Suite struct ArrivalGroupTests {
  typealias Arrival = ArrivalGroups.Arrival

  /// All ways to cut a row of arrivals into groups.
  private func allGroups(_ count: Int) -> [[Range<Int>]] {
    guard count > 0 else { return [[]] }
    return (0..<count).flatMap { first in allGroups(first).map { $0 + [first..<count] } }
  }

  @Test(arguments: 0..<60)
  func `no other cut ends earlier`(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let count = Int.random(in: 0...8, using: &random)
    var time = 0.0
    let arrivals = (0..<count).map { _ in
      time += Double.random(in: 0...6, using: &random)
      return Arrival(at: time, gpu: Double.random(in: 0.5...4, using: &random))
    }
    let free = Double.random(in: 0...20, using: &random)
    let launch = [0, 0.7, 5][seed % 3]
    let found = ArrivalGroups.groups(of: arrivals, gpuFree: free, launch: launch)
    func end(_ groups: [Range<Int>]) -> Double {
      ArrivalGroups.end(of: groups, arrivals, gpuFree: free, launch: launch)
    }
    let all = allGroups(count)
    let earliest = all.map(end).min() ?? free
    #expect(abs(end(found) - earliest) < 1e-9)
    #expect(found.flatMap { Array($0) } == Array(0..<count))
    if count > 0 { #expect(found.allSatisfy { !$0.isEmpty }) }
  }

  @Test func `what has piled up goes together, and what is waited for goes alone`() {
    let piled = [1.0, 2, 3, 40, 60].map { Arrival(at: $0, gpu: 2) }
    #expect(
      ArrivalGroups.groups(of: piled, gpuFree: 10, launch: 5) == [0..<3, 3..<4, 4..<5])
    // A launch that costs nothing keeps nobody waiting; the third has come when the first is through.
    #expect(
      ArrivalGroups.groups(of: piled, gpuFree: 0, launch: 0)
        == [0..<1, 1..<3, 3..<4, 4..<5])
    #expect(ArrivalGroups.groups(of: [], gpuFree: 3, launch: 1) == [])
  }

  @Test func `a group waits for the last of its arrivals, in whichever order they come`() {
    let arrivals = [9.0, 4].map { Arrival(at: $0, gpu: 1) }
    #expect(ArrivalGroups.groups(of: arrivals, gpuFree: 0, launch: 3) == [0..<2])
    #expect(ArrivalGroups.end(of: [0..<2], arrivals, gpuFree: 0, launch: 3) == 14)
  }
}
