import ExpertCaching
import Experts

/// The classical policies once more, slowly and without any shared code: one layer's cache as a plain
/// set, everything counted anew from the whole past at each decision.
struct PlainReplay {
  let header: TraceHeader
  let eviction: EvictionName
  let admission: Admission
  let slots: Int
  var alpha = 0.5

  /// Hits in each event of one layer's cache.
  func hits(_ events: [RoutingEvent]) -> [Int] {
    var resident: Set<Int> = []
    var hits: [Int] = []
    for now in events.indices {
      let used = distinct(events[now])
      hits.append(used.count { resident.contains($0) })
      let past = Array(events[0...now])
      let ranks = ranks(past, future: Array(events[(now + 1)...]))
      let recency = recency(past)
      if eviction == .min, admission == .bypass {
        let order = resident.union(used).sorted { (-ranks[$0], $0) < (-ranks[$1], $1) }
        resident = Set(order.prefix(slots))
        continue
      }
      let load = { expert in events[now].ids.count { $0 == expert } }
      if admission == .forced, used.count > slots {
        let worth = eviction == .min ? { ranks[$0] } : { Double(load($0)) }
        let order = used.enumerated().sorted {
          (-worth($0.element), $0.offset) < (-worth($1.element), $1.offset)
        }
        resident = Set(order.prefix(slots).map(\.element))
        continue
      }
      var misses = used.filter { !resident.contains($0) }
      if admission == .bypass {
        let order = misses.enumerated().sorted {
          (-load($0.element), $0.offset) < (-load($1.element), $1.offset)
        }
        misses = order.map(\.element)
      }
      for miss in misses {
        if resident.count >= slots {
          let candidates = resident.filter { !used.contains($0) }.sorted {
            eviction == .min
              ? (ranks[$0], $0) < (ranks[$1], $1)
              : (ranks[$0], recency[$0]) < (ranks[$1], recency[$1])
          }
          guard let victim = candidates.first else { continue }
          if admission == .bypass, ranks[miss] <= ranks[victim] { continue }
          resident.remove(victim)
        }
        resident.insert(miss)
      }
    }
    return hits
  }

  private func distinct(_ event: RoutingEvent) -> [Int] {
    var seen: [Int] = []
    for id in event.ids where !seen.contains(id) { seen.append(id) }
    return seen
  }

  private func recency(_ past: [RoutingEvent]) -> [Int] {
    let uses = past.flatMap(distinct)
    return (0..<header.experts).map { (uses.lastIndex(of: $0) ?? -1) + 1 }
  }

  private func ranks(_ past: [RoutingEvent], future: [RoutingEvent]) -> [Double] {
    let uses = past.flatMap(distinct)
    let counts = (0..<header.experts).map { expert in uses.count { $0 == expert } }
    switch eviction {
    case .lru: return counts.map { _ in 0 }
    case .lfu: return counts.map(Double.init)
    case .lfru:
      return zip(counts, recency(past)).map { Double($0) / Double(uses.count - $1 + 1) }
    case .workload:
      let window = past.suffix(4).flatMap(\.ids)
      return counts.indices.map { expert in Double(window.count { $0 == expert }) }
    case .mrs: return past.reduce(counts.map { _ in 0 }) { averaged($0, $1) }
    case .min:
      return counts.indices.map { expert in
        -Double(future.firstIndex { $0.ids.contains(expert) } ?? 1_000_000)
      }
    default: fatalError("no plain rule for \(eviction)")
    }
  }

  private func averaged(_ old: [Double], _ event: RoutingEvent) -> [Double] {
    var averages = old
    for token in 0..<event.ids.count / header.activated {
      var row = Array(repeating: 0.0, count: header.experts)
      if event.scores.isEmpty {
        for place in token * header.activated..<(token + 1) * header.activated {
          row[event.ids[place]] =
            event.weights.isEmpty ? 1 / Double(header.activated) : event.weights[place]
        }
      } else {
        row = Array(event.scores[token * header.experts..<(token + 1) * header.experts])
      }
      let best = row.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }
      for expert in best.dropFirst(2 * header.activated) { row[expert] = 0 }
      averages = zip(averages, row).map { alpha * $1 + (1 - alpha) * $0 }
    }
    return averages
  }
}
