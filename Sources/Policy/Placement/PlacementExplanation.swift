/// A plan in words that need no knowledge of this program.
public struct PlacementExplanation: Equatable, Sendable {
  /// One line: whether it fits, what is on the GPU, how fast.
  public var summary: String
  /// A few sentences: what goes where and why.
  public var sentences: [String]
  /// What was given up, most harmless first; empty where nothing was.
  public var reductions: [String]
  /// What could be done to make it better; often empty.
  public var advice: [String]

  public init(_ plan: PlacementPlan) {
    let words = PlanWords(plan: plan)
    summary = words.summary
    sentences = words.sentences
    reductions = plan.reductions.map(words.sentence)
    advice = PlacementAdvice(plan).sentences
  }
}

/// Bytes as people read them, in decimal units.
func amount(_ bytes: Int) -> String {
  let value = Double(bytes)
  if value >= 0.9995e9 { return fixed(value / 1e9) + " GB" }
  if value >= 0.9995e6 { return fixed(value / 1e6) + " MB" }
  return value >= 999.5 ? fixed(value / 1e3) + " kB" : "\(bytes) B"
}

/// Three significant digits at most.
func fixed(_ value: Double) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
  if value >= 99.95 { return "\(Int(value.rounded()))" }
  let places = value >= 9.995 ? 1 : 2
  let scale = places == 1 ? 10.0 : 100.0
  let scaled = Int((value * scale).rounded())
  let fraction = String(scaled % Int(scale))
  return "\(scaled / Int(scale))." + String(repeating: "0", count: places - fraction.count)
    + fraction
}

func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

private struct PlanWords {
  let plan: PlacementPlan
  var shape: ModelShape { plan.request.shape }

  var name: String { "\(shape.title) (\(shape.quantization)) on \(plan.request.machine.name)" }

  var summary: String {
    guard let speed = plan.speed else {
      return "\(name): does not fit, \(lacking)."
    }
    let what =
      if plan.isOnCPUOnly {
        "runs on the CPU alone"
      } else if !plan.denseFits {
        "runs, but not all that each token needs fits on the GPU"
      } else if plan.slotCount == plan.expertCount {
        "fits entirely on the GPU"
      } else {
        "\(fitting), with \(plan.slotCount) of \(plan.expertCount) experts on the GPU"
      }
    return "\(name): \(what); about \(fixed(speed.decodeTokensPerSecond)) tokens/s."
  }

  /// Fewer experts on the GPU than were asked for is no fit, even though it runs.
  private var fitting: String {
    for case .fewerSlots(let wanted, _) in plan.reductions {
      return "runs, but the \(wanted) slots asked for do not fit"
    }
    for case .layersOnlyCached(let count) in plan.reductions {
      return "runs, but \(layers(count)) asked for on the GPU do not fit there"
    }
    return "fits"
  }

  private var lacking: String {
    for case .hostMemoryLacks(let bytes) in plan.reductions {
      return "host memory lacks \(amount(bytes))"
    }
    return "memory is lacking"
  }

  var sentences: [String] { [dense, cache, slots, rest, speed].compactMap(\.self) }

  private var dense: String? {
    guard !plan.isOnCPUOnly else {
      return plan.gpuBytes == 0
        ? "Without a GPU all of the model stays in host memory, and the CPU computes everything."
        : "Nothing goes to the GPU; the CPU computes everything."
    }
    let kinds: [PlacementPlan.Part.Kind] = [.attention, .feedForward, .output]
    let bytes = kinds.reduce(0) { $0 + plan.bytes($1, in: plan.gpuParts) }
    let what = "attention, routers, shared experts and dense layers, output head"
    return plan.denseFits && plan.bytes(.attention, in: plan.hostParts) == 0
      ? "What every token needs (\(what)) is on the GPU: \(amount(bytes))."
      : "Of what every token needs (\(what)) \(amount(bytes)) are on the GPU, the rest on the CPU."
  }

  private var cache: String? {
    let gpu = plan.bytes(.keyValueCache, in: plan.gpuParts)
    let host = plan.bytes(.keyValueCache, in: plan.hostParts)
    let place =
      switch (gpu > 0, host > 0) {
      case (true, true): "\(amount(gpu)) on the GPU and \(amount(host)) in host memory"
      case (true, false): "\(amount(gpu)) on the GPU"
      default: "\(amount(host)) in host memory"
      }
    return "The key-value cache for \(plan.request.context) tokens in "
      + "\(plan.request.keyValueType.rawValue) takes \(place)."
  }

  private var slots: String? {
    guard plan.expertCount > 0, !plan.isOnCPUOnly else { return nil }
    if plan.slotCount == plan.expertCount { return "All routed experts are on the GPU." }
    guard plan.slotCount > 0 else { return "No routed expert has a place on the GPU." }
    let partial = plan.layers.filter { $0.slots > 0 && $0.slots < $0.expertCount }
    let least = partial.map(\.slots).min() ?? 0
    let most = partial.map(\.slots).max() ?? 0
    let range = least == most ? "\(least)" : "\(least) to \(most)"
    let whole = plan.layers.count { $0.slots > 0 && $0.slots == $0.expertCount }
    var text = "\(plan.slotCount) of \(plan.expertCount) routed experts have a slot on the GPU ("
    if let experts = partial.first?.expertCount {
      text += "\(range) of \(experts) in "
      text += partial.count == 1 ? "one layer" : "each of \(partial.count) layers"
      if whole > 0 { text += ", all of them in \(whole) others" }
    } else {
      text += "all of them in \(layers(whole))"
    }
    text += "), \(amount(plan.bytes(.expertSlots, in: plan.gpuParts)))"
    guard let speed = plan.speed else { return text + "." }
    return text + "; \(percent(speed.hitRate)) of the activated experts will be found there "
      + "(\(partial.isEmpty ? "whole layers" : speed.isHitRateAssumed ? "assumed" : "as given"))."
  }

  private var rest: String? {
    let bytes = plan.bytes(.experts, in: plan.hostParts)
    guard bytes > 0,
      let largest = shape.layers.compactMap(\.experts).map(\.footprint.hostBytes).max()
    else { return nil }
    let text =
      "Host memory holds \(amount(bytes)) of routed experts, \(amount(largest)) each at most"
    guard plan.pinnedBytes > 0 else { return text + "; the CPU computes them." }
    let footprint = plan.request.machine.expertFootprint(of: shape, layer: 0)
    let costs = plan.request.machine.costModel.layerCosts(for: footprint)
    let copy = costs.map { " in \(fixed($0.linkPerExpertAlone / 1000)) ms" } ?? ""
    return text + "; of those without a slot the CPU computes some, and some are copied, one"
      + "\(copy). \(amount(plan.pinnedBytes)) \(plan.hostFits ? "are" : "would be") pinned for that."
  }

  private var speed: String? {
    guard let speed = plan.speed else { return nil }
    return "Expect about \(fixed(speed.decodeTokensPerSecond)) tokens/s when writing and "
      + "\(fixed(speed.prefillTokensPerSecond)) tokens/s when reading a prompt of "
      + "\(speed.promptTokens) tokens."
  }

  func sentence(_ reduction: PlacementPlan.Reduction) -> String {
    switch reduction {
    case .fewerSlots(let wanted, let given):
      "GPU memory has room for \(given) of the \(wanted) slots that were asked for."
    case .layersOnlyCached(let count):
      "\(layers(count)) that should be entirely on the GPU cannot be, and use slots instead."
    case .noCopies:
      "GPU memory has no room for copies of experts; the CPU computes all that have no slot."
    case .attentionOnCPU(let count):
      "The attention of \(layers(count)), with its key-value cache, moves to the CPU."
    case .outputOnCPU: "The output head moves to the CPU."
    case .feedForwardOnCPU(let count):
      "Routers, shared experts and dense networks of \(layers(count)) move to the CPU."
    case .hostMemoryLacks(let bytes):
      "Host memory is \(amount(bytes)) too small for what does not fit on the GPU."
    }
  }

  private func layers(_ count: Int) -> String {
    count == plan.layers.count
      ? "all \(count) layers" : "\(count) \(count == 1 ? "layer" : "layers")"
  }
}
