import Experts
import Foundation
import Testing

@testable import ExpertCaching

struct ForecastTests {
  @Test func `logarithm and sigmoid are those of the library, nearly`() {
    for step in 1...4000 {
      let x = Double(step) * 0.001
      #expect(abs(Elementary.logarithm(x) - log(x)) < 2e-5)
      let y = Double(step - 2000) * 0.02
      let limited = min(max(y, -30), 30)
      #expect(abs(Elementary.sigmoid(y) - 1 / (1 + exp(-limited))) < 2e-6)
    }
    #expect(Elementary.logarithm(1) == 0)
    #expect(Elementary.sigmoid(0) == 0.5)
  }

  @Test(arguments: [true, false])
  func `forecast probabilities are as often right as they say`(hasScores: Bool) throws {
    var routing = SyntheticRouting(layers: 1, experts: 24, topK: 4)
    routing.hasScores = hasScores
    let trace = routing.trace(promptTokens: 20, decodeSteps: 600, seed: 11)
    let cacheable = CacheConfiguration(layers: 1, experts: 24, activated: 4, slotsPerLayer: 6)
    var cache = try ExpertCache(cacheable)
    var bins = Array(repeating: (forecast: 0.0, activated: 0.0, count: 0.0), count: 10)
    var expertsExpected = 0.0
    for (place, event) in trace.events.enumerated() {
      if place > 60 {
        for index in 0..<24 {
          let probability = cache.activationProbability(of: ExpertID(layer: 0, index: index))
          #expect((0...1).contains(probability))
          let bin = min(9, Int(probability * 10))
          bins[bin].forecast += probability
          bins[bin].activated += event.ids.contains(index) ? 1 : 0
          bins[bin].count += 1
          expertsExpected += probability
        }
      }
      cache.observe(event)
    }
    #expect(abs(expertsExpected / Double(trace.events.count - 61) - 4) < 0.2)
    for bin in bins where bin.count > 300 {
      #expect(
        abs(bin.forecast - bin.activated) / bin.count < (hasScores ? 0.06 : 0.1),
        "\(bin.forecast / bin.count) forecast, \(bin.activated / bin.count) activated")
    }
    // It must tell experts apart: a constant forecast would fill one bin only.
    #expect(bins.count { $0.count > 300 } >= 4)
  }

  @Test func `scores that come and go do not break the forecast`() throws {
    var routing = SyntheticRouting(layers: 1, experts: 8, topK: 2)
    routing.hasScores = true
    var trace = routing.trace(promptTokens: 3, decodeSteps: 60, seed: 2)
    for place in trace.events.indices where place % 3 == 0 { trace.events[place].scores = [] }
    // A router may be perfectly sure, too.
    trace.events[10].scores = [1, 0, 0, 0, 0, 0, 0, 0]
    var cache = try ExpertCache(
      CacheConfiguration(layers: 1, experts: 8, activated: 2, slotsPerLayer: 3))
    for event in trace.events {
      cache.play(event)
      for index in 0..<8 {
        let probability = cache.activationProbability(of: ExpertID(layer: 0, index: index))
        #expect(probability > 0 && probability < 1)
      }
    }
  }
}
