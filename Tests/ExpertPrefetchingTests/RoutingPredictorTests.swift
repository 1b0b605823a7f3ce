import ExpertPrefetching
import Experts
import TestSupport
import Testing

/// A router with known errors: its real logits are the predicted ones plus a fixed lean for each
/// expert and a draw of noise.
struct LeaningRouter {
  var random: SeededGenerator
  var lean: [Double]
  let noise: Double
  let activated: Int

  init(seed: UInt64, experts: Int, activated: Int, lean: Double, noise: Double) {
    random = SeededGenerator(seed: seed)
    self.lean = []
    self.noise = noise
    self.activated = activated
    for _ in 0..<experts { self.lean.append(lean * normal()) }
  }

  /// The sum of twelve even draws, which is nearly normal (Irwin and Hall).
  mutating func normal() -> Double {
    var sum = -6.0
    for _ in 0..<12 { sum += Double.random(in: 0..<1, using: &random) }
    return sum
  }

  /// Scores need not be probabilities; powers of two of the logits are.
  mutating func step() -> (predicted: [Double], real: [Double], ids: [Int]) {
    var predicted: [Double] = []
    var real: [Double] = []
    for expert in lean.indices {
      let logit = 1.5 * normal()
      predicted.append(power(logit))
      real.append(power(logit + lean[expert] + noise * normal()))
    }
    let order = real.indices.sorted { (real[$1], $0) < (real[$0], $1) }
    return (predicted, real, Array(order.prefix(activated)))
  }

  /// A growing function of the logit whose logarithm is nearly straight.
  private func power(_ logit: Double) -> Double {
    let x = max(-12, min(12, logit)) / 64
    var value = 1 + x + x * x / 2 + x * x * x / 6
    for _ in 0..<6 { value *= value }
    return value
  }
}

@Suite struct RoutingPredictorTests {
  @Test(arguments: [0.0, 1.0])
  func `what is predicted with seventy per cent happens seventy times in a hundred`(
    lean: Double
  ) throws {
    let seed: UInt64 = 11
    var router = LeaningRouter(seed: seed, experts: 32, activated: 4, lean: lean, noise: 0.6)
    var predictor = RoutingPredictor(layers: 2, experts: 32, activated: 4)
    var cases = Array(repeating: 0.0, count: 10)
    var expected = cases
    var happened = cases
    for step in 0..<3000 {
      let (predicted, real, ids) = router.step()
      predictor.predict(1, from: 0, step: step, scores: predicted)
      let forecast = try #require(predictor.forecast(of: 1, step: step))
      if step >= 500 {
        for expert in 0..<32 {
          let probability = forecast.probability[expert]
          let bin = min(9, Int(probability * 10))
          cases[bin] += 1
          expected[bin] += probability
          happened[bin] += ids.contains(expert) ? 1 : 0
        }
      }
      predictor.learn(step: step, layer: 1, ids: ids, scores: real)
    }
    for bin in 0..<10 where cases[bin] > 300 {
      let error = abs(expected[bin] - happened[bin]) / cases[bin]
      #expect(error < 0.05, "seed \(seed), bin \(bin): \(expected[bin]) \(happened[bin])")
    }
  }

  @Test func `the learnt lean makes more predictions right, and nothing is lost without one`() {
    for (lean, gain) in [(1.0, 10.0), (0.0, -0.5)] {
      var router = LeaningRouter(seed: 5, experts: 64, activated: 6, lean: lean, noise: 0.4)
      var predictor = RoutingPredictor(layers: 3, experts: 64, activated: 6)
      for step in 0..<1000 {
        let (predicted, real, ids) = router.step()
        predictor.predict(2, from: 0, step: step, scores: predicted)
        predictor.learn(step: step, layer: 2, ids: ids, scores: real)
      }
      let counts = predictor.accuracy.byDistance[1]
      #expect(counts.predicted == 6000)
      #expect(counts.correctedPercent - counts.rawPercent > gain, "lean \(lean): \(counts)")
      #expect(predictor.accuracy.byDistance[0].predicted == 0)
      if lean > 0 { #expect(predictor.accuracy.prefersCorrection(layer: 2, distance: 2)) }
    }
  }

  @Test func `without scores nothing is corrected, but probabilities are still learnt`() {
    var router = LeaningRouter(seed: 6, experts: 16, activated: 2, lean: 1, noise: 3)
    var predictor = RoutingPredictor(layers: 2, experts: 16, activated: 2)
    let before = predictor.calibration.probability(layer: 1, distance: 1, bin: 19)
    for step in 0..<300 {
      let (predicted, _, ids) = router.step()
      predictor.predict(1, from: 0, step: step, scores: predicted)
      predictor.learn(step: step, layer: 1, ids: ids, scores: [])
    }
    #expect(!predictor.accuracy.prefersCorrection(layer: 1, distance: 1))
    #expect(predictor.calibration.probability(layer: 1, distance: 1, bin: 19) < before - 0.2)
  }

  @Test func `a prompt's forecast adds up its tokens`() throws {
    var predictor = RoutingPredictor(layers: 2, experts: 8, activated: 2)
    // Token 0 wants experts 0 and 1, the 199 others experts 2 and 3.
    var scores: [Double] = []
    for token in 0..<200 {
      for expert in 0..<8 {
        scores.append(expert / 2 == (token == 0 ? 0 : 1) ? 0.45 : 0.02)
      }
    }
    predictor.predict(1, from: 0, step: 0, scores: scores)
    let forecast = try #require(predictor.forecast(of: 1, step: 0))
    #expect(forecast.expectedLoad[2] > 150 && forecast.expectedLoad[2] < 201)
    #expect(forecast.probability[2] > 0.999)
    #expect(forecast.expectedLoad[7] < forecast.expectedLoad[0] + 5)
    for expert in 0..<8 {
      #expect((0...1).contains(forecast.probability[expert]))
      #expect(forecast.probability[expert] <= forecast.expectedLoad[expert] + 1e-9)
    }
  }

  @Test func `one token's load is its probability`() throws {
    var predictor = RoutingPredictor(layers: 2, experts: 8, activated: 2)
    predictor.predict(1, from: 0, step: 0, scores: [0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.01, 0.01])
    let forecast = try #require(predictor.forecast(of: 1, step: 0))
    for expert in 0..<8 {
      #expect(abs(forecast.probability[expert] - forecast.expectedLoad[expert]) < 1e-12)
    }
  }

  @Test func `scores of zero, infinity and denormal size give probabilities all the same`() {
    var predictor = RoutingPredictor(layers: 2, experts: 4, activated: 1)
    for scores in [[0, 0, 0, 0], [1, .infinity, 0, .leastNonzeroMagnitude], [0, 0, 0, 1.0]] {
      predictor.predict(1, from: 0, step: 0, scores: scores)
      let probabilities = predictor.forecast(of: 1, step: 0)?.probability ?? []
      #expect(probabilities.count == 4)
      for probability in probabilities { #expect(probability > 0 && probability < 1) }
      predictor.learn(step: 0, layer: 1, ids: [3], scores: scores)
    }
  }

  @Test func `a nearer prediction replaces a farther one, and last step's are forgotten`() {
    var predictor = RoutingPredictor(layers: 4, experts: 4, activated: 1)
    let event = RoutingEvent(
      step: 3, phase: .decode, layer: 0, ids: [0], scores: [0.7, 0.1, 0.1, 0.1],
      predicted: [
        PredictedScores(layer: 2, scores: [0.7, 0.1, 0.1, 0.1]),
        PredictedScores(layer: 3, scores: [0.7, 0.1, 0.1, 0.1]),
      ])
    predictor.observe(event)
    #expect(predictor.forecast(of: 2, step: 3)?.distance == 2)
    #expect(predictor.forecast(of: 1, step: 3) == nil)
    predictor.predict(2, from: 1, step: 3, scores: [0.1, 0.7, 0.1, 0.1])
    #expect(predictor.forecast(of: 2, step: 3)?.distance == 1)
    #expect(predictor.forecast(of: 3, step: 3)?.distance == 3)
    #expect(predictor.forecast(of: 3, step: 4) == nil)
  }

  @Test func `a layer that activates all its experts is no riddle`() {
    var predictor = RoutingPredictor(layers: 2, experts: 2, activated: 2)
    predictor.predict(1, from: 0, step: 0, scores: [0.9, 0.1])
    #expect(predictor.forecast(of: 1, step: 0)?.probability == [1, 1])
    predictor.learn(step: 0, layer: 1, ids: [0, 1], scores: [0.9, 0.1])
  }

  @Test func `a state that the layers always move alike is foreseen exactly`() {
    var correction = ResidualCorrection(layers: 3, hiddenSize: 2)
    var random = SeededGenerator(seed: 9)
    for _ in 0..<50 {
      let state: [Float] = [random.nextFloat(), random.nextFloat()]
      for layer in 0..<3 {
        let moved = [state[0] + 2 * Float(layer), state[1] - Float(layer)]
        correction.observe(moved.span, layer: layer)
      }
    }
    let state: [Float] = [0.5, 0.5]
    var result: [Float] = []
    correction.correct(state.span, layer: 0, distance: 2, into: &result)
    #expect(abs(result[0] - 4.5) < 1e-5 && abs(result[1] + 1.5) < 1e-5)
  }
}
