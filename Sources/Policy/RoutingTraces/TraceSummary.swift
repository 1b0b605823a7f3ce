import Experts

/// What a person wants to know of a trace before trusting it: how much there is, how concentrated
/// the routing is, how often it repeats itself, and how good the recorded predictions are.
public struct TraceSummary: Sendable {
  /// Counts of one phase.
  public struct PhaseCounts: Equatable, Sendable {
    public var steps = 0
    /// Tokens of all steps; a step's are those of its first event.
    public var tokens = 0
    public var events = 0
    /// Distinct experts, summed over events.
    public var activated = 0
    /// Experts that a token shares with the token before it in the same layer, and how many there
    /// could have been; the token before a phase's first may belong to the other phase.
    public var repeated = 0
    public var repeatable = 0
    /// For each layer, how many tokens were routed to each expert: [layers, experts].
    public var uses: [Int]

    /// Activated experts of an event on average.
    public var activatedPerEvent: Double { Self.ratio(activated, events) }
    /// The share of a token's experts that the token before it had too.
    public var repeatRate: Double { Self.ratio(repeated, repeatable) }

    static func ratio(_ part: Int, _ whole: Int) -> Double {
      whole > 0 ? Double(part) / Double(whole) : 0
    }
  }

  /// How good predictions over one distance are.
  public struct Accuracy: Equatable, Sendable {
    /// Activated experts that were among the predicted top-k, and all activated ones, token by token.
    public var found = 0
    public var activated = 0
    /// The share that was found.
    public var rate: Double { PhaseCounts.ratio(found, activated) }
  }

  public let header: TraceHeader
  public private(set) var prefill: PhaseCounts
  public private(set) var decode: PhaseCounts
  /// By distance in layers, from 1; empty where nothing was predicted.
  public private(set) var accuracies: [Int: Accuracy] = [:]
  /// Rows with scores, and those in which an expert that was not activated had a higher score than
  /// one that was; a router with a selection bias makes such rows, others do not.
  public private(set) var scoredRows = 0
  public private(set) var disagreeingRows = 0
  /// Events with weights.
  public private(set) var weightedEvents = 0
  /// Steps that lack a layer.
  public private(set) var incompleteSteps = 0

  private var lastRow: [[Int]]
  private var step: Int?
  private var layersOfStep = 0
  // Predictions of the step for layers that have not come yet.
  private var predictions: [(from: Int, scores: PredictedScores)] = []

  public init(_ header: TraceHeader) {
    self.header = header
    let counts = PhaseCounts(uses: Array(repeating: 0, count: header.layers * header.experts))
    prefill = counts
    decode = counts
    lastRow = Array(repeating: [], count: header.layers)
  }

  /// Takes the next event.
  public mutating func add(_ event: RoutingEvent) {
    if event.step != step { begin(event) }
    layersOfStep += 1
    if !event.weights.isEmpty { weightedEvents += 1 }
    var counts = event.phase == .prefill ? prefill : decode
    // One owner, so that its table is changed in place.
    if event.phase == .prefill { prefill.uses = [] } else { decode.uses = [] }
    count(event, into: &counts)
    if event.phase == .prefill { prefill = counts } else { decode = counts }
    checkScores(event)
    for prediction in predictions where prediction.scores.layer == event.layer {
      judge(prediction.scores.scores, distance: event.layer - prediction.from, event)
    }
    predictions.removeAll { $0.scores.layer <= event.layer }
    predictions += event.predicted.map { (event.layer, $0) }
  }

  /// Says that there are no more events.
  public mutating func finish() {
    if step != nil, layersOfStep < header.layers { incompleteSteps += 1 }
    step = nil
  }

  /// The share of a phase's activations that fall on the most used quarter of each layer's experts:
  /// 0.25 where all are used alike.
  public func topQuarterShare(_ counts: PhaseCounts) -> Double {
    let quarter = max(1, (header.experts + 3) / 4)
    var top = 0
    for layer in 0..<header.layers {
      let uses = counts.uses[layer * header.experts..<(layer + 1) * header.experts]
      top += uses.sorted(by: >).prefix(quarter).reduce(0, +)
    }
    return PhaseCounts.ratio(top, counts.uses.reduce(0, +))
  }

  private mutating func begin(_ event: RoutingEvent) {
    finish()
    step = event.step
    layersOfStep = 0
    predictions.removeAll()
    let tokens = event.ids.count / header.activated
    switch event.phase {
    case .prefill:
      prefill.steps += 1
      prefill.tokens += tokens
    case .decode:
      decode.steps += 1
      decode.tokens += tokens
    }
  }

  private mutating func count(_ event: RoutingEvent, into counts: inout PhaseCounts) {
    counts.events += 1
    var distinct = ExpertSet()
    var last = lastRow[event.layer]
    for start in stride(from: 0, to: event.ids.count, by: header.activated) {
      let row = Array(event.ids[start..<start + header.activated])
      if !last.isEmpty {
        counts.repeatable += row.count
        for id in row where last.contains(id) { counts.repeated += 1 }
      }
      for id in row {
        distinct.insert(id)
        counts.uses[event.layer * header.experts + id] += 1
      }
      last = row
    }
    counts.activated += distinct.count
    lastRow[event.layer] = last
  }

  private mutating func checkScores(_ event: RoutingEvent) {
    guard !event.scores.isEmpty else { return }
    for row in 0..<event.ids.count / header.activated {
      let scores = event.scores[row * header.experts..<(row + 1) * header.experts]
      let ids = event.ids[row * header.activated..<(row + 1) * header.activated]
      scoredRows += 1
      let lowest = ids.map { scores[scores.startIndex + $0] }.min() ?? 0
      if scores.count(where: { $0 > lowest }) >= header.activated { disagreeingRows += 1 }
    }
  }

  private mutating func judge(_ scores: [Double], distance: Int, _ event: RoutingEvent) {
    guard scores.count / header.experts == event.ids.count / header.activated else { return }
    for row in 0..<event.ids.count / header.activated {
      let ids = event.ids[row * header.activated..<(row + 1) * header.activated]
      let predicted = TopK.indices(
        of: scores[row * header.experts..<(row + 1) * header.experts], count: header.activated)
      accuracies[distance, default: Accuracy()].found += predicted.count { ids.contains($0) }
      accuracies[distance, default: Accuracy()].activated += ids.count
    }
  }
}
