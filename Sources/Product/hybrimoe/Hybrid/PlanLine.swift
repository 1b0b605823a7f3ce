import Placement

/// A placement in one line, for those who only want to run a model.
struct PlanLine {
  let plan: PlacementPlan

  var tellsSpeed = true

  init(_ plan: PlacementPlan, tellsSpeed: Bool = true) {
    self.plan = plan
    self.tellsSpeed = tellsSpeed
  }

  /// Bytes that are taken of the GPU's memory.
  private var usedByteCount: Int {
    plan.gpuBytes - plan.bytes(.unused, in: plan.gpuParts) - plan.bytes(.margin, in: plan.gpuParts)
  }

  /// Such as `GPU: attention and 12 of 64 experts in each of 26 layers (5.1 of 8.0 GB); CPU: the
  /// rest; about 31 tokens/s expected`.
  var text: String {
    let memory = "(\(Self.pair(usedByteCount, plan.gpuBytes)))"
    var text = "GPU: \(what) \(memory); CPU: \(rest)"
    if tellsSpeed, let speed = plan.speed {
      text += "; about \(Self.speed(speed.decodeTokensPerSecond)) tokens/s expected"
    }
    return text
  }

  private var what: String {
    let layers = plan.layers.filter { $0.experts != nil && $0.attention == .gpu }
    let slots = layers.map(\.slots)
    guard let least = slots.min(), let most = slots.max(), most > 0 else {
      let there = plan.layers.count { $0.attention == .gpu && $0.feedForward == .gpu }
      return there == plan.layers.count
        ? "all but the routed experts"
        : "\(there) of \(plan.layers.count) layers but for their routed experts"
    }
    if plan.slotCount == plan.expertCount { return "the whole model" }
    let range = least == most ? "\(least)" : "\(least) to \(most)"
    return "attention and \(range) of \(layers[0].expertCount) experts in "
      + (layers.count == 1 ? "1 layer" : "each of \(layers.count) layers")
  }

  private var rest: String {
    plan.slotCount == plan.expertCount ? "the token embeddings" : "the rest"
  }

  /// What was asked for and is not there, in sentences.
  var reductions: [String] { PlacementExplanation(plan).reductions }

  /// Two amounts, in one unit where they are of one size, as in `5.1 of 8.0 GB`.
  static func pair(_ part: Int, _ whole: Int) -> String {
    // A small part of a large memory would read as nothing.
    guard part * 20 >= whole else {
      return "\(HumanUnits.bytes(part)) of \(HumanUnits.bytes(whole))"
    }
    let units: [(Double, String)] = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    let unit = units.first { Double(whole) >= $0.0 } ?? (1, "B")
    let places = unit.0 == 1 ? 0 : 1
    return "\(HumanUnits.fixed(Double(part) / unit.0, places)) of "
      + "\(HumanUnits.fixed(Double(whole) / unit.0, places)) \(unit.1)"
  }

  /// Two significant digits are as many as an expectation has.
  static func speed(_ tokensPerSecond: Double) -> String {
    guard tokensPerSecond.isFinite else { return "\(tokensPerSecond)" }
    if tokensPerSecond < 9.95 { return HumanUnits.fixed(tokensPerSecond, 1) }
    let step = tokensPerSecond < 99.5 ? 1.0 : tokensPerSecond < 999.5 ? 10.0 : 100.0
    return HumanUnits.fixed((tokensPerSecond / step).rounded() * step, 0)
  }
}
