import ExpertDirection
import ExpertSimulation
import Experts
import OrderedJSON

extension HybridFigures {
  /// For people, a few lines; those of phases that did not run are left out.
  var words: String {
    var lines: [String] = []
    for phase in Phase.allCases where self[phase].layerCount > 0 {
      lines.append("\(phase.rawValue): \(self[phase].experts)")
      lines.append("  \(self[phase].lanes(isModelled: isModelled))")
    }
    if let prefetches, prefetches.issued > 0 {
      lines.append(
        "copied ahead: \(HumanUnits.counted(prefetches.issued, "expert")), of them used "
          + "\(prefetches.useful), late \(prefetches.late), for nothing \(prefetches.redundant), "
          + "given up \(prefetches.cancelled)")
    }
    let wasted =
      wastedByteCount > 0 ? ", \(HumanUnits.bytes(wastedByteCount)) of them for nothing" : ""
    let issued =
      issuedByteCount == linkByteCount
      ? "" : "; issued, first residents included: \(HumanUnits.bytes(issuedByteCount))"
    lines.append("over the link: \(HumanUnits.bytes(linkByteCount))\(wasted)\(issued)")
    return (lines + notes).joined(separator: "\n")
  }

  var json: JSONValue {
    let phases = Phase.allCases.filter { self[$0].layerCount > 0 }.map {
      ($0.rawValue, self[$0].json)
    }
    let ahead = prefetches.map { prefetches in
      JSONValue.object([
        ("issued", .integer(prefetches.issued)), ("useful", .integer(prefetches.useful)),
        ("late", .integer(prefetches.late)), ("redundant", .integer(prefetches.redundant)),
        ("cancelled", .integer(prefetches.cancelled)), ("bytes", .integer(prefetches.byteCount)),
      ])
    }
    return .object(
      phases + [
        ("linkBytes", .integer(linkByteCount)), ("wastedLinkBytes", .integer(wastedByteCount)),
        ("issuedLinkBytes", .integer(issuedByteCount)),
        ("prefetch", ahead ?? .null), ("timesAreModelled", .bool(isModelled)),
        ("notes", .array(notes.map(JSONValue.string))),
      ])
  }
}

extension ComputedExperts {
  /// Who computed how much, and whence it came, in percentages that add up to 100.
  var words: String {
    let shares = Self.percentages([
      residentOnGPU, prefetchedOnGPU, copiedOnDemand, residentOnCPU, missingOnCPU,
    ])
    func list(_ names: [String], from first: Int) -> String {
      let parts = names.indices.filter { shares[first + $0] > 0 }
        .map { "\(shares[first + $0]) % \(names[$0])" }
      return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
    let late = late > 0 ? "copied on demand (\(late) late)" : "copied on demand"
    return "the GPU computed \(list(["resident", "copied ahead", late], from: 0)); the CPU "
      + list(["resident", "missing"], from: 3)
  }

  /// Whole percentages of the counts' sum that add up to 100: those with the largest remainders are
  /// rounded up. All 0 where nothing was counted.
  static func percentages(_ counts: [Int]) -> [Int] {
    let sum = counts.reduce(0, +)
    guard sum > 0 else { return counts.map { _ in 0 } }
    var result = counts.map { $0 * 100 / sum }
    let order = counts.indices.sorted {
      (counts[$1] * 100 % sum, $0) < (counts[$0] * 100 % sum, $1)
    }
    for place in order.prefix(100 - result.reduce(0, +)) { result[place] += 1 }
    return result
  }
}

extension HybridFigures.PhaseFigures {
  fileprivate var experts: String {
    var text = "of \(HumanUnits.count(activated)) activated experts \(computed.words)"
    text += "; hit rate \(HumanUnits.fixed(100 * hitRate, 0)) % (resident without a copy ahead, "
    text += "whoever computed them)"
    let copies = [
      (copiedOnDemand, "on demand"), (copiedAhead, "ahead"), (filled, "filled in afterwards"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return copies.isEmpty ? text : text + "; experts copied: \(copies.joined(separator: ", "))"
  }

  fileprivate func lanes(isModelled: Bool) -> String {
    let names: [(Lane, String)] = [(.gpu, "GPU"), (.cpu, "CPU"), (.link, "link")]
    let busy = names.map { "\($1) \(HumanUnits.fixed(100 * busyShare(of: $0), 0)) %" }
    let time = HumanUnits.fixed(microseconds / 1e6, microseconds < 1e5 ? 4 : 2)
    let layers = Double(max(1, layerCount))
    let predicted = HumanUnits.fixed(predictedMicroseconds / layers, 1)
    let measured = HumanUnits.fixed(measuredMicroseconds / layers, 1)
    let told =
      measuredMicroseconds > 0 ? ", \(measured) µs \(isModelled ? "modelled" : "measured")" : ""
    let speed = HumanUnits.fixed(tokensPerSecond, 1)
    return "at work in \(time) s\(isModelled ? " of modelled time (\(speed) tokens/s)" : ""): "
      + "\(busy.joined(separator: ", ")); a layer's experts: \(predicted) µs predicted\(told)"
  }

  fileprivate var json: JSONValue {
    .object([
      ("steps", .integer(stepCount)), ("tokens", .integer(tokenCount)),
      ("seconds", .double(microseconds / 1e6)), ("tokensPerSecond", .double(tokensPerSecond)),
      ("activated", .integer(activated)), ("hits", .integer(hits)),
      ("hitRate", .double(hitRate)), ("prefetched", .integer(prefetched)),
      ("late", .integer(late)), ("onCPU", .integer(onCPU)),
      ("copiedOnDemand", .integer(copiedOnDemand)), ("copiedAhead", .integer(copiedAhead)),
      ("filled", .integer(filled)), ("computed", computed.json),
      (
        "busy",
        .object(Lane.allCases.map { ($0.rawValue, .double(busyShare(of: $0))) })
      ),
      ("layers", .integer(layerCount)),
      ("predictedMakespanMicroseconds", .double(predictedMicroseconds)),
      ("lowerBoundMicroseconds", .double(boundMicroseconds)),
      ("measuredMakespanMicroseconds", .double(measuredMicroseconds)),
    ])
  }
}
