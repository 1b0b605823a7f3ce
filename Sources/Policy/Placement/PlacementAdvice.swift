/// What a user could change to get a better plan: found by planning again with the change.
struct PlacementAdvice {
  let plan: PlacementPlan

  init(_ plan: PlacementPlan) { self.plan = plan }

  /// Gains below this are not worth a sentence.
  private static let smallestGain = 1.05

  var sentences: [String] {
    guard plan.gpuBytes > 0 else { return [] }
    return [shorterContext, smallerCache, host].compactMap(\.self)
  }

  private func planned(_ change: (inout PlacementRequest) -> Void) -> PlacementPlan {
    var request = plan.request
    change(&request)
    return PlacementPlanner.plan(request)
  }

  /// The longest context with which everything that each token needs is on the GPU.
  private var shorterContext: String? {
    guard !plan.denseFits, plan.request.context > 1,
      planned({ $0.context = 1 }).denseFits
    else { return nil }
    var fits = 1
    var tooLong = plan.request.context
    while tooLong - fits > 1 {
      let middle = fits + (tooLong - fits) / 2
      if planned({ $0.context = middle }).denseFits { fits = middle } else { tooLong = middle }
    }
    return "With --context \(fits) or less everything that each token needs is on the GPU."
  }

  /// A key-value cache of eight bits in place of sixteen or more leaves room for experts.
  private var smallerCache: String? {
    // Where all experts are on the GPU there is nothing to win with more room.
    guard plan.request.keyValueType != .q8_0, plan.slotCount < plan.expertCount,
      let speed = plan.speed
    else { return nil }
    let other = planned { $0.keyValueType = .q8_0 }
    guard let faster = other.speed,
      faster.decodeTokensPerSecond > speed.decodeTokensPerSecond * Self.smallestGain
    else { return nil }
    return "With --kv-type q8_0 the key-value cache is smaller: about "
      + "\(fixed(faster.decodeTokensPerSecond)) tokens/s."
  }

  private var host: String? {
    guard !plan.hostFits else { return nil }
    return "Use a smaller model or a smaller quantisation, or a host with more memory."
  }
}
