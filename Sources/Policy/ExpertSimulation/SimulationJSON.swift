import ExpertDirection
import ExpertPrefetching
import Experts
import OrderedJSON

extension DirectionReport {
  /// Both phases' figures, as far as they were played, and what became of the copies ahead.
  public var json: JSONValue {
    .object(
      Phase.allCases.filter { self[$0].plans > 0 }.map { ($0.rawValue, self[$0].json) }
        + (prefetch.map { [("prefetch", $0.json)] } ?? []))
  }
}

extension PrefetchStatistics {
  /// The counts over all layers, and by how far ahead the copies were decided.
  public var json: JSONValue {
    .object(
      total.members + [
        ("byDistance", .array(byDistance.map { .object($0.members) })),
        ("byLayer", .array(byLayer.map { .object($0.members) })),
      ])
  }
}

extension PrefetchCounts {
  fileprivate var members: [(String, JSONValue)] {
    [
      ("issued", .integer(issued)), ("useful", .integer(useful)), ("late", .integer(late)),
      ("redundant", .integer(redundant)), ("cancelled", .integer(cancelled)),
      ("bytes", .integer(byteCount)),
    ]
  }
}

extension DirectionReport.PhaseFigures {
  /// Times in milliseconds; lanes' shares of the time from 0 to 1.
  public var json: JSONValue {
    .object([
      ("steps", .integer(stepMicroseconds.count)), ("tokens", .integer(tokens)),
      ("milliseconds", .double(meanMilliseconds)),
      ("medianMilliseconds", .double(medianMilliseconds)),
      ("tokensPerSecond", .double(tokensPerSecond)),
      (
        "busy",
        .object(Lane.allCases.map { ($0.rawValue, .double(busyShare(of: $0))) })
      ),
      (
        "dense",
        .double(totalMicroseconds > 0 ? denseMicroseconds / totalMicroseconds : 0)
      ),
      ("activated", .integer(activated)), ("hits", .integer(hits)),
      ("hitRate", .double(hitRate)), ("prefetched", .integer(prefetched)),
      ("late", .integer(late)), ("misses", .integer(misses)), ("onCPU", .integer(onCPU)),
      ("stolen", .integer(stolen)), ("copiedOnDemand", .integer(copiedOnDemand)),
      ("copiedAhead", .integer(copiedAhead)), ("filled", .integer(filled)),
      ("computed", computed.json),
      ("linkBytes", .integer(linkBytes)), ("plans", .integer(plans)),
      ("layersMilliseconds", .double(makespanMicroseconds / 1000)),
      ("layersBoundMilliseconds", .double(boundMicroseconds / 1000)),
    ])
  }
}

extension ComputedExperts {
  /// The parts, which add up to the activated experts, and of the last one those that were late.
  public var json: JSONValue {
    .object([
      ("residentOnGPU", .integer(residentOnGPU)), ("prefetchedOnGPU", .integer(prefetchedOnGPU)),
      ("residentOnCPU", .integer(residentOnCPU)), ("missingOnCPU", .integer(missingOnCPU)),
      ("copiedOnDemand", .integer(copiedOnDemand)), ("ofTheseLate", .integer(late)),
    ])
  }
}

extension SystemDescription {
  public var json: [(String, JSONValue)] {
    [
      ("scheduler", .string(scheduler.rawValue)),
      ("eviction", .string(eviction?.rawValue ?? "none")),
      ("admission", .string(admission.rawValue)),
      ("prefetching", .string(prefetching.rawValue)),
      ("prefetchSize", .optional(prefetchLimit)), ("fills", .bool(fills)),
      ("initialResidency", .string(initialResidency.rawValue)),
    ]
  }
}

extension LayerDirective {
  /// A line of `simulate --plans`: the case in short and the operations in microseconds after the
  /// layer's routing is known.
  public var json: JSONValue {
    .object([
      ("step", .integer(step)), ("phase", .string(layerCase.phase.rawValue)),
      ("layer", .integer(layer)), ("start", .double(start)),
      ("makespan", .double(plan.makespan)), ("lowerBound", .double(plan.lowerBound)),
      ("linkFree", .double(layerCase.linkFree)),
      ("experts", .array(layerCase.experts.map(\.json))),
      ("operations", .array(plan.operations.map(\.json))),
    ])
  }
}

extension ActivatedExpert {
  fileprivate var json: JSONValue {
    var members: [(String, JSONValue)] = [("expert", .integer(index)), ("load", .integer(load))]
    switch residency {
    case .missing: members.append(("residency", .string("missing")))
    case .resident: members.append(("residency", .string("resident")))
    case .arriving(let time):
      members.append(("residency", .string("arriving")))
      members.append(("arrival", .double(time)))
    }
    return .object(members)
  }
}

extension Operation {
  fileprivate var json: JSONValue {
    let expert: JSONValue =
      switch subject {
      case .shared: .string("shared")
      case .expert(let index): .integer(index)
      }
    return .object([
      ("expert", expert), ("lane", .string(lane.rawValue)), ("start", .double(start)),
      ("end", .double(end)),
    ])
  }
}
