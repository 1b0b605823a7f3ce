import ExpertCaching
import Experts
import RandomNumbers
import TestSupport
import Testing

@testable import RoutingTraces

/// Routing of a small model whose variance is divided as the test says.
private func events(
  persistence: Double = 0.4,
  parts: RoutingBehavior.Parts = .init(model: 1, sequence: 1, topic: 1, drift: 1),
  layers: Int = 3, experts: Int = 16, activated: Int = 3, seed: UInt64 = 1,
  _ change: (inout RoutingBehavior, inout SyntheticRouting.Amount) -> Void = { _, _ in }
) throws -> (header: TraceHeader, events: [RoutingEvent]) {
  var behavior = RoutingBehavior(
    persistence: persistence, parts: parts, topicTokens: 50, driftTokens: 4, layerCorrelation: 0,
    sharpness: 1.5, accuracies: [], biasShare: 0.5, renormalizes: true)
  var amount = SyntheticRouting.Amount(promptTokens: 20, decodeTokens: 30)
  change(&behavior, &amount)
  let header = TraceHeader(
    model: "small", layers: layers, experts: experts, activated: activated,
    expertBytes: Array(repeating: 5, count: layers))
  var source = try SyntheticRouting(header: header, behavior: behavior, amount: amount, seed: seed)
  var events: [RoutingEvent] = []
  while let event = source.next() { events.append(event) }
  return (header, events)
}

private func summary(_ made: (header: TraceHeader, events: [RoutingEvent])) -> TraceSummary {
  var summary = TraceSummary(made.header)
  for event in made.events { summary.add(event) }
  summary.finish()
  return summary
}

@Suite struct `Made-up routing` {
  @Test func `has the steps, tokens and layers that were asked for`() throws {
    let made = try events { behavior, amount in
      behavior.accuracies = [0.8, 0.6]
      amount.sequences = 2
      amount.promptStepTokens = 8
    }
    // 20 prompt tokens in steps of at most 8, then 30 steps of one, twice.
    let tokens = [8, 8, 4] + Array(repeating: 1, count: 30)
    #expect(made.events.count == 2 * 33 * 3)
    for (place, event) in made.events.enumerated() {
      let step = place / 3
      #expect(event.step == step && event.layer == place % 3)
      #expect(event.phase == (step % 33 < 3 ? .prefill : .decode))
      #expect(event.ids.count == tokens[step % 33] * 3)
      #expect(event.predicted.map(\.layer) == [[1, 2], [2], []][event.layer])
    }
    // What it makes can be written and read.
    let trace = RoutingTrace(header: made.header, events: made.events)
    #expect(try RoutingTrace(reading: trace.text()) == trace)
  }

  @Test func `activates the experts with the highest scores and weighs them by those`() throws {
    for renormalizes in [false, true] {
      let made = try events { behavior, _ in behavior.renormalizes = renormalizes }
      for event in made.events {
        for row in 0..<event.ids.count / 3 {
          let scores = Array(event.scores[row * 16..<row * 16 + 16])
          let best = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(3)
          let ids = Array(event.ids[row * 3..<row * 3 + 3])
          #expect(ids == Array(best))
          let weights = Array(event.weights[row * 3..<row * 3 + 3])
          let sum = renormalizes ? ids.reduce(0) { $0 + scores[$1] } : 1
          for (weight, id) in zip(weights, ids) { #expect(abs(weight - scores[id] / sum) < 1e-6) }
          #expect(abs(scores.reduce(0, +) - 1) < 1e-5)
        }
      }
    }
  }

  @Test func `is decided by its seed, with or without scores and predictions`() throws {
    let whole = try events { behavior, _ in behavior.accuracies = [0.7] }.events
    let bare = try events { behavior, amount in
      behavior.accuracies = [0.7]
      amount.hasScores = false
      amount.hasPredictions = false
    }.events
    #expect(whole.map(\.ids) == bare.map(\.ids) && whole.map(\.weights) == bare.map(\.weights))
    #expect(bare.allSatisfy { $0.scores.isEmpty && $0.predicted.isEmpty })
    #expect(try events(seed: 2).events.map(\.ids) != whole.map(\.ids))
    // The very same on every machine and in every version.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for id in whole.joinedIDs { hash = (hash ^ UInt64(id)) &* 0x100_0000_01b3 }
    #expect(hash == 57_034_551_898_870_192)
  }

  @Test func `keeps what its parts keep`() throws {
    typealias Parts = RoutingBehavior.Parts
    func rows(_ parts: Parts, _ change: (inout RoutingBehavior) -> Void = { _ in }) throws
      -> [Set<Int>]
    {
      try events(persistence: 1, parts: parts, layers: 1) { behavior, amount in
        change(&behavior)
        amount.sequences = 2
      }.events.flatMap { event in
        stride(from: 0, to: event.ids.count, by: 3).map { Set(event.ids[$0..<$0 + 3]) }
      }
    }
    // For ever, for a sequence of 50 tokens, until the topic changes, for some tokens.
    let model = try rows(Parts(model: 1, sequence: 0, topic: 0, drift: 0))
    #expect(model.count == 100 && Set(model).count == 1)
    let sequence = try rows(Parts(model: 0, sequence: 1, topic: 0, drift: 0))
    #expect(Set(sequence[..<50]).count == 1 && Set(sequence[50...]).count == 1)
    #expect(sequence[0] != sequence[50])
    let topic = try rows(Parts(model: 0, sequence: 0, topic: 1, drift: 0)) { $0.topicTokens = 10 }
    let changes = zip(topic, topic.dropFirst()).count { $0 != $1 }
    #expect((3...25).contains(changes), "a change every 10 tokens, of 99: \(changes)")
    func steadiness(_ tokens: Double) throws -> Int {
      let rows = try rows(Parts(model: 0, sequence: 0, topic: 0, drift: 1)) {
        $0.driftTokens = tokens
      }
      return zip(rows, rows.dropFirst()).reduce(0) { $0 + $1.0.intersection($1.1).count }
    }
    let steady = try [0.05, 4, 1000].map(steadiness)
    #expect(steady[0] < 90 && steady[0] + 60 < steady[1] && steady[1] + 20 < steady[2], "\(steady)")
  }

  @Test func `is even and independent where nothing persists`() throws {
    let made = try events(persistence: 0, layers: 2) { _, amount in
      amount.decodeTokens = 800
      amount.hasScores = false
    }
    let decode = summary(made).decode
    #expect(abs(decode.repeatRate - 3.0 / 16) < 0.02)
    // 1600 uses of 16 experts in each layer: none strays far from 150.
    #expect(decode.uses.allSatisfy { (100...205).contains($0) }, "\(decode.uses)")
  }

  @Test func `follows paths through the layers`() throws {
    func shared(_ correlation: Double) throws -> Double {
      let made = try events(layers: 6) { behavior, amount in
        behavior.layerCorrelation = correlation
        amount.decodeTokens = 200
        amount.promptTokens = 0
      }
      let rows = made.events.map { Set($0.ids) }
      let pairs = rows.indices.dropFirst().filter { made.events[$0].layer > 0 }
      return Double(pairs.reduce(0) { $0 + rows[$1].intersection(rows[$1 - 1]).count })
        / Double(pairs.count * 3)
    }
    #expect(abs(try shared(0) - 3.0 / 16) < 0.03)
    #expect(try shared(0.5) > 0.3)
  }

  @Test func `is foreseen as well as was asked for`() throws {
    // Nothing lasts, so that every token and layer counts as a sample of its own.
    let made = try events(persistence: 0, layers: 6, experts: 32, activated: 4) {
      behavior, amount in
      behavior.biasShare = 0
      behavior.accuracies = [0.8, 0.6, 0.35]
      amount.decodeTokens = 200
    }
    let accuracies = summary(made).accuracies
    #expect(accuracies.count == 3)
    for (distance, accuracy) in [1: 0.8, 2: 0.6, 3: 0.35] {
      let rate = accuracies[distance]?.rate ?? 0
      #expect(abs(rate - accuracy) < 0.03, "\(distance) ahead: \(rate)")
    }
    let perfect = try events { behavior, _ in behavior.accuracies = [1] }
    #expect(summary(perfect).accuracies[1]?.rate == 1)
  }

  @Test func `has errors of which a share is the same for every token`() {
    func noise(_ biasShare: Double) -> [Double] {
      var behavior = RoutingBehavior(
        persistence: 0, parts: .init(model: 1, sequence: 0, topic: 0, drift: 0), topicTokens: 1,
        driftTokens: 1, layerCorrelation: 0, sharpness: 1, accuracies: [0.5], biasShare: 0,
        renormalizes: false)
      behavior.biasShare = biasShare
      var noise = PredictionNoise(
        layers: 2, experts: 8, activated: 2, behavior: behavior, random: RandomSource(seed: 1))
      // Of true scores that are all 0 only the errors are left.
      return noise.foreseen(Array(repeating: 0, count: 16), layer: 1, distance: 1)
    }
    let same = noise(1)
    #expect(same[..<8] == same[8...] && Set(same).count == 8)
    let fresh = noise(0)
    #expect(Set(fresh).count == 16)
  }

  @Test func `refuses impossible figures with a word`() {
    typealias Change = (inout RoutingBehavior, inout SyntheticRouting.Amount) -> Void
    let wrong: [(String, Change)] = [
      ("persistence is 1.5", { behavior, _ in behavior.persistence = 1.5 }),
      ("persistence is nan", { behavior, _ in behavior.persistence = .nan }),
      ("weights of the parts", { behavior, _ in behavior.parts.topic = -1 }),
      (
        "weights of the parts",
        { behavior, _ in behavior.parts = .init(model: 0, sequence: 0, topic: 0, drift: 0) }
      ),
      ("topicTokens", { behavior, _ in behavior.topicTokens = 0 }),
      ("driftTokens", { behavior, _ in behavior.driftTokens = 0 }),
      ("layerCorrelation", { behavior, _ in behavior.layerCorrelation = 1 }),
      ("sharpness", { behavior, _ in behavior.sharpness = .infinity }),
      ("an accuracy", { behavior, _ in behavior.accuracies = [0] }),
      (
        "more than 8 layers",
        { behavior, _ in behavior.accuracies = Array(repeating: 0.5, count: 9) }
      ),
      ("0 sequences", { _, amount in amount.sequences = 0 }),
      ("-1 prompt tokens", { _, amount in amount.promptTokens = -1 }),
      ("decode tokens", { _, amount in amount.decodeTokens = Int.max }),
      ("no token", { _, amount in (amount.promptTokens, amount.decodeTokens) = (0, 0) }),
      ("too long for one step", { _, amount in amount.promptTokens = 100_000_000 }),
      ("prompt tokens of a step", { _, amount in amount.promptStepTokens = 0 }),
    ]
    for (word, change) in wrong {
      #expect("\(word)") { try events(change) } throws: { "\($0)".contains(word) }
    }
    #expect(throws: SyntheticRoutingError.self) { try events(activated: 17) }
  }
}

extension [RoutingEvent] {
  fileprivate var joinedIDs: [Int] { flatMap(\.ids) }
}

@Suite struct `Figures of routing` {
  @Test func `are read from every data file`() throws {
    let names = try profileNames(in: "routing")
    #expect(names.contains("default") && names.contains("mixtral-8x7b"))
    for name in names {
      let behavior = try RoutingBehavior(text: profileText("routing/\(name)"), file: name)
      #expect(behavior.problem == nil && behavior.accuracies.count == 3)
    }
  }

  @Test func `are refused with their place in the file`() throws {
    let text = try profileText("routing/default")
    func message(_ old: String, _ new: String) -> String {
      do {
        _ = try RoutingBehavior(text: text.replacing(old, with: new), file: "f")
        return "read"
      } catch { return error.description }
    }
    #expect(message("x", "x") == "read")
    #expect(message("\"routing\"", "\"shape\"") == "f: kind: expected \"routing\", found \"shape\"")
    #expect(
      message("\"sharpness\"", "\"sharpnes\"").hasPrefix(
        "f: sharpnes: expected one of the keys kind, "))
    #expect(
      message("\"unit\": \"tokens\"", "\"unit\": \"words\"")
        == "f: topicTokens.unit: expected \"tokens\", found \"words\"")
    #expect(
      message("\"value\": 0.78", "\"value\": \"high\"")
        == "f: accuracies[0].value: expected a number, found a string")
    #expect(message("\"value\": 0.78", "\"value\": 7.8").contains("an accuracy is 7.8"))
    #expect(
      message("\"source\": \"most models of 2025 renormalise\"", "\"source\": \" \"")
        == "f: renormalizes.source: expected where the figure comes from, found nothing")
    #expect(message("}", "").hasPrefix("f: line "))
  }

  /// The recipe is in Tools/calibrate-traces; here one model with few tokens, so roughly.
  @Test func `give the published hit rate of LRU`() throws {
    let behavior = try RoutingBehavior(text: profileText("routing/mixtral-8x7b"))
    let header = TraceHeader(
      model: "mixtral-8x7b", layers: 32, experts: 8, activated: 2,
      expertBytes: Array(repeating: 1, count: 32))
    var amount = SyntheticRouting.Amount(sequences: 2, promptTokens: 32, decodeTokens: 128)
    amount.hasPredictions = false
    var source = try SyntheticRouting(header: header, behavior: behavior, amount: amount, seed: 5)
    var statistics = try TraceStatistics(
      header: header,
      request: ReplayRequest(capacities: [0.25], evictions: [.lru], admissions: [.forced]))
    while let event = source.next() { statistics.append(event) }
    let rate = statistics.results().first { $0.phase == .decode }?.statistics.hitRate ?? 0
    #expect(abs(rate - 0.302) < 0.015, "\(rate)")
  }
}
