import ExpertPrefetching
import Testing

@Suite struct PrefetchGateTests {
  @Test func `a layer whose prefetches cost time is closed and probed ever more rarely`() {
    var gate = PrefetchGate(layers: 2)
    var openRuns = [0, 0, 0, 0]
    for run in 0..<8000 {
      let isOpen = gate.isOpen(0)
      if isOpen { openRuns[run / 2000] += 1 }
      gate.layerRan(0, gain: isOpen ? -5 : nil)
      gate.layerRan(1, gain: 3)
    }
    #expect(openRuns[0] < 100)
    #expect(openRuns[0] > openRuns[1] && openRuns[3] >= 8 && openRuns[3] <= 16)
    #expect(gate.isOpen(1))
    #expect(gate.meanGain(1) == 3)
  }

  @Test func `a closed layer comes back when prefetching begins to pay`() {
    var gate = PrefetchGate(layers: 1)
    for _ in 0..<500 { gate.layerRan(0, gain: gate.isOpen(0) ? -1 : nil) }
    #expect(!gate.isOpen(0))
    for _ in 0..<600 { gate.layerRan(0, gain: gate.isOpen(0) ? 2 : nil) }
    #expect(gate.isOpen(0))
  }

  @Test func `a bad run or two close nothing`() {
    var gate = PrefetchGate(layers: 1)
    for run in 0..<1000 {
      gate.layerRan(0, gain: run % 4 == 0 ? -10 : 5)
      #expect(gate.isOpen(0))
    }
  }

  @Test func `runs without any prefetch decide nothing`() {
    var gate = PrefetchGate(layers: 1)
    for _ in 0..<1000 { gate.layerRan(0, gain: nil) }
    #expect(gate.isOpen(0) && gate.meanGain(0) == 0)
  }
}
