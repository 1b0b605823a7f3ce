import ExpertCaching
import Experts

/// Routing made up for tests: every topic has its own popular experts, scores drift from step to
/// step, and the topic changes now and then.
struct SyntheticRouting {
  var layers = 4
  var experts = 16
  var topK = 2
  /// Spread of the popularity that belongs to a topic, in logits.
  var topicSpread = 1.0
  /// Spread of the part of a score that drifts, and how much of it stays from step to step.
  var driftSpread = 1.0
  var driftMemory = 0.8
  /// Spread of the part that is new for every token.
  var tokenSpread = 0.5
  var stepsPerTopic = 100
  var hasScores = true

  /// A prompt of `promptTokens` (none where 0), then `decodeSteps` tokens.
  func trace(promptTokens: Int, decodeSteps: Int, seed: UInt64) -> RoutingTrace {
    var random = Noise(seed: seed)
    let header = TraceHeader(
      model: "synthetic", layers: layers, experts: experts, activated: topK,
      expertBytes: Array(repeating: 1, count: layers))
    var events: [RoutingEvent] = []
    var popularity = random.table(layers * experts, spread: topicSpread)
    var drift = random.table(layers * experts, spread: driftSpread)
    let steps = decodeSteps + (promptTokens > 0 ? 1 : 0)
    for step in 0..<steps {
      let isPrefill = step == 0 && promptTokens > 0
      if step > 0, step % stepsPerTopic == 0 {
        popularity = random.table(layers * experts, spread: topicSpread)
      }
      let fresh = (1 - driftMemory * driftMemory).squareRoot() * driftSpread
      for place in drift.indices {
        drift[place] = driftMemory * drift[place] + fresh * random.normal()
      }
      for layer in 0..<layers {
        var event = RoutingEvent(
          step: step, phase: isPrefill ? .prefill : .decode, layer: layer, ids: [])
        for _ in 0..<(isPrefill ? promptTokens : 1) {
          let logits = (0..<experts).map {
            popularity[layer * experts + $0] + drift[layer * experts + $0]
              + tokenSpread * random.normal()
          }
          append(logits, to: &event)
        }
        events.append(event)
      }
    }
    return RoutingTrace(header: header, events: events)
  }

  private func append(_ logits: [Double], to event: inout RoutingEvent) {
    let weights = logits.map(power)
    let sum = weights.reduce(0, +)
    let scores = weights.map { $0 / sum }
    let best = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(topK)
    event.ids += best
    event.weights += best.map { scores[$0] }
    if hasScores { event.scores += scores }
  }

  // 2^x by squaring: good enough for made-up scores, and the same everywhere.
  private func power(_ x: Double) -> Double {
    var result = 1 + x * 0.6931 / 256
    for _ in 0..<8 { result *= result }
    return result
  }
}

/// Numbers that are the same for the same seed.
struct Noise {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// Nearly normal: the sum of six uniform numbers.
  mutating func normal() -> Double {
    var sum = 0.0
    for _ in 0..<6 { sum += uniform() }
    return (sum - 3) * 1.414_213_562_373_095_1
  }

  mutating func table(_ count: Int, spread: Double) -> [Double] {
    (0..<count).map { _ in spread * normal() }
  }
}
