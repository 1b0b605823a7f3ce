import Experts
import RandomNumbers

/// Makes routing traces that behave as measured ones do, from a seed and a few figures.
///
/// Real routing is neither even nor random: a token's experts are likely to be used by the next
/// token, each text has its favourites, and they change with the topic. A cache lives by exactly
/// that. So every expert has a latent score that is a sum of parts which live differently long
/// (`RoutingBehavior`); the router's scores are its softmax, the activated experts the highest of
/// them, and predictions the scores with errors.
///
/// Rejected: drawing experts from a Markov chain over sets, which has no scores for MRS and no
/// near-misses; one popularity for all times, which makes LFU perfect; and mere autoregression,
/// which knows no favourites. The routing of a seed is the same on every machine and does not depend
/// on whether scores or predictions are wanted.
///
/// A source of events, made one by one: nothing is kept but the latent scores of four layers of one
/// step.
public struct SyntheticRouting: Sendable {
  /// How much to make of what.
  public struct Amount: Equatable, Sendable {
    /// Sequences, one after the other, each a prompt and an answer.
    public var sequences: Int
    public var promptTokens: Int
    public var decodeTokens: Int
    /// Prompt tokens of one step at most; nil reads each prompt in one step.
    public var promptStepTokens: Int?
    public var hasScores = true
    public var hasPredictions = true

    public init(sequences: Int = 1, promptTokens: Int, decodeTokens: Int) {
      self.sequences = sequences
      self.promptTokens = promptTokens
      self.decodeTokens = decodeTokens
    }
  }

  /// Numbers of one layer of one step, tokens times experts, at most: half a gigabyte.
  public static let maximumStepNumbers = 1 << 26

  public let header: TraceHeader
  public let behavior: RoutingBehavior
  public let amount: Amount

  private let router: RouterScores
  private var process: LatentProcess
  private var noise: PredictionNoise
  private var sequence = 0
  private var promptDone = 0
  private var decodeDone = 0
  private var step = -1
  private var phase = Phase.prefill
  private var tokens = 0
  /// The next event's layer; at `header.layers` a new step begins.
  private var layer: Int
  // Latent scores of this layer and of those that it foresees, and the layers drawn so far.
  private var latents: [[Double]] = []
  private var drawnLayers = 0

  /// - Throws: `SyntheticRoutingError` where the figures are impossible.
  public init(
    header: TraceHeader, behavior: RoutingBehavior, amount: Amount, seed: UInt64
  ) throws(SyntheticRoutingError) {
    if let problem = header.problem ?? behavior.problem ?? amount.problem(header) {
      throw SyntheticRoutingError(description: problem)
    }
    self.header = header
    self.behavior = behavior
    self.amount = amount
    // Sources of their own, so that predictions do not change the routing.
    var seeds = RandomSource(seed: seed)
    process = LatentProcess(
      layers: header.layers, experts: header.experts, behavior: behavior,
      random: RandomSource(seed: seeds.next()))
    var foreseeing = behavior
    if !amount.hasPredictions { foreseeing.accuracies = [] }
    noise = PredictionNoise(
      layers: header.layers, experts: header.experts, activated: header.activated,
      behavior: foreseeing, random: RandomSource(seed: seeds.next()))
    router = RouterScores(
      experts: header.experts, activated: header.activated, sharpness: behavior.sharpness,
      renormalizes: behavior.renormalizes)
    layer = header.layers
  }

  /// The share of all tokens whose step has begun, 0 to 1.
  public var progress: Double {
    let whole = Double(amount.promptTokens + amount.decodeTokens)
    let done = (Double(sequence) * whole + Double(promptDone + decodeDone)) / whole
    return min(1, done / Double(amount.sequences))
  }

  /// The next event; nil after the last.
  ///
  /// - Complexity: O(tokens × experts × (1 + predicted layers)).
  public mutating func next() -> RoutingEvent? {
    if layer == header.layers {
      guard beginStep() else { return nil }
    }
    // The layers that are foreseen must be drawn before.
    let last = min(header.layers - 1, layer + noise.deviations.count)
    while drawnLayers <= last { draw() }
    let scores = router.scores(latents[0])
    let ids = router.ids(scores)
    var event = RoutingEvent(
      step: step, phase: phase, layer: layer, ids: ids, weights: router.weights(scores, ids),
      scores: amount.hasScores ? scores : [])
    for distance in 1..<max(1, last - layer + 1) {
      let foreseen = noise.foreseen(latents[distance], layer: layer, distance: distance)
      event.predicted.append(
        PredictedScores(layer: layer + distance, scores: router.scores(foreseen)))
    }
    layer += 1
    // The memory of the layer that is done serves the next one to be drawn.
    latents.append(latents.removeFirst())
    return event
  }

  private mutating func draw() {
    let slot = drawnLayers - layer
    process.fill(&latents[slot], layer: drawnLayers)
    drawnLayers += 1
  }

  private mutating func beginStep() -> Bool {
    if promptDone == amount.promptTokens, decodeDone == amount.decodeTokens {
      sequence += 1
      promptDone = 0
      decodeDone = 0
    }
    guard sequence < amount.sequences else { return false }
    if promptDone == 0, decodeDone == 0 { process.beginSequence() }
    if promptDone < amount.promptTokens {
      phase = .prefill
      tokens = min(
        amount.promptTokens - promptDone, amount.promptStepTokens ?? amount.promptTokens)
      promptDone += tokens
    } else {
      phase = .decode
      tokens = 1
      decodeDone += 1
    }
    step += 1
    process.beginStep(tokens: tokens)
    layer = 0
    drawnLayers = 0
    let count = tokens * header.experts
    if latents.first?.count != count {
      let empty = Array(repeating: 0.0, count: count)
      latents = Array(repeating: empty, count: 1 + noise.deviations.count)
    }
    return true
  }
}

/// Why no trace can be made.
public struct SyntheticRoutingError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String
}

extension SyntheticRouting.Amount {
  /// Why there cannot be so much; nil where there can.
  func problem(_ header: TraceHeader) -> String? {
    let limit = 1_000_000_000
    for (name, count, low) in [
      ("sequences", sequences, 1), ("prompt tokens", promptTokens, 0),
      ("decode tokens", decodeTokens, 0), ("prompt tokens of a step", promptStepTokens ?? 1, 1),
    ] where !(low...limit).contains(count) {
      return "there are \(count) \(name), but must be from \(low) to \(limit)"
    }
    if promptTokens + decodeTokens == 0 { return "there is no token, in neither phase" }
    let step = min(promptTokens, promptStepTokens ?? promptTokens)
    guard step * header.experts <= SyntheticRouting.maximumStepNumbers else {
      let most = SyntheticRouting.maximumStepNumbers / header.experts
      return "a prompt of \(step) tokens is too long for one step; at most \(most) fit, so divide "
        + "it into steps"
    }
    return nil
  }
}
