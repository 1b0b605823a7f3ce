import Testing

@testable import CPUCompute

@Suite struct StepProfileTests {
  @Test func `time, bytes and operations belong to the part that the next mark names`() {
    let profile = StepProfile()
    profile.begin()
    profile.count(byteCount: 10, operationCount: 1)
    profile.count(byteCount: 20, operationCount: 2)
    profile.mark(.attention)
    profile.count(byteCount: 5, operationCount: 7)
    profile.mark(.outputHead)
    profile.mark(.other)
    #expect(profile[.attention].byteCount == 30)
    #expect(profile[.attention].operationCount == 3)
    #expect(profile[.outputHead].byteCount == 5)
    #expect(profile[.other].byteCount == 0)
    #expect(profile[.router] == StepProfile.Cost())
    #expect(profile.total.byteCount == 35)
    #expect(profile.total.operationCount == 10)
  }

  @Test func `what was counted before a step begins belongs to no part`() {
    let profile = StepProfile()
    profile.count(byteCount: 10, operationCount: 1)
    profile.begin()
    profile.mark(.norms)
    #expect(profile.total.byteCount == 0)
  }

  @Test func `time that is taken out of a part is not counted in it again`() {
    let before = StepProfile.now()
    let profile = StepProfile()
    profile.begin()
    let start = StepProfile.now()
    while StepProfile.now() == start {}
    profile.take(.waiting, nanoseconds: .max)
    profile.mark(.expertDown)
    #expect(profile[.waiting].nanoseconds > 0)
    #expect(profile.total.nanoseconds <= StepProfile.now() - before)
  }

  @Test(arguments: [nil, 1, 3, 8, 100] as [Int?])
  func `attention counts what each token sees`(window: Int?) {
    let shape = AttentionShape(
      headCount: 3, keyLength: 5, valueLength: 7, scale: 1, window: window)
    for (position, tokenCount) in [(0, 1), (0, 6), (4, 1), (4, 5), (20, 3)] {
      let profile = StepProfile()
      profile.countAttention(
        shape, tokenCount: tokenCount, position: position, bytesPerPosition: 11)
      profile.mark(.attention)
      var seen = 0
      var positions: Set<Int> = []
      for token in position..<position + tokenCount {
        for key in 0...token where token - key < window ?? .max {
          seen += 1
          positions.insert(key)
        }
      }
      #expect(profile[.attention].operationCount == 2 * 3 * seen * 12)
      #expect(profile[.attention].byteCount == 11 * positions.count)
    }
  }

  @Test func `every part has a name of its own`() {
    let names = StepProfile.Part.allCases.map(\.name)
    #expect(Set(names).count == names.count)
  }
}
