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
    lines.append("over the link: \(HumanUnits.bytes(linkByteCount))\(wasted)")
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
        ("prefetch", ahead ?? .null), ("timesAreModelled", .bool(isModelled)),
        ("notes", .array(notes.map(JSONValue.string))),
      ])
  }
}

extension HybridFigures.PhaseFigures {
  fileprivate var experts: String {
    func percent(_ count: Int) -> String { HumanUnits.fixed(100 * share(count), 0) + " %" }
    var text = "of \(HumanUnits.count(activated)) activated experts \(percent(hits)) hits"
    if prefetched > 0 { text += ", \(percent(prefetched)) copied ahead" }
    if late > 0 { text += ", \(percent(late)) on their way" }
    text += "; CPU computed \(percent(onCPU))"
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
      ("filled", .integer(filled)),
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
