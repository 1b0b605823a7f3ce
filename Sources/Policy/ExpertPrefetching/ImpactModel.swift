import Experts

/// What one more resident expert is worth in a layer whose routing is not known yet.
///
/// In decode every load is 1, so a layer's makespan depends on the number of hits alone, T(hits).
/// How many of the others will be hits is itself uncertain: it follows from the probabilities of the
/// residents, one by one. The impact of a further hit is the mean of T(hits) − T(hits + 1) under
/// that distribution, not its value at the likeliest number, because T is far from straight. T is
/// simulated once for each set of costs and kept. So is the layer with the expert still on its way
/// when it starts, because half a copy may be worth a whole one: what counts is whether the rest
/// arrives before the other lanes are done.
///
/// With more tokens, loads differ: the impact is T(expected routing) − T(the same with the expert
/// resident), simulated for each candidate.
struct ImpactModel<Source: MakespanSource>: Sendable {
  /// T for every number of hits, for costs that were met before.
  private struct Table {
    var costs: LayerCosts
    /// By number of hits, 0 to `activated`.
    var makespans: [Double]
    /// By number of hits, then by lateness (`Lateness.knots`): the layer with one more expert that
    /// is on its way.
    var late: [Lateness.Values]

    /// What one more expert is worth in the mean over the numbers of hits among the others.
    func worth(hits: [Double]) -> Lateness.Values {
      var worth = Lateness.Values.zero
      for count in hits.indices {
        worth += hits[count] * (Lateness.Values(repeating: makespans[count]) - late[count])
      }
      return worth
    }
  }

  private var source: Source
  private var tables: [Table] = []
  private var nextTable = 0
  private var scratch: LayerCase

  init(source: Source) {
    self.source = source
    scratch = LayerCase(
      phase: .decode, experts: [],
      costs: LayerCosts(cpuPerToken: 0, gpuPerExpert: 0, linkPerExpert: 0))
  }

  /// Values a layer's candidates before anything is chosen.
  mutating func begin(_ work: inout LayerWork, _ layer: LayerOutlook) {
    if work.isDecode {
      work.spreadHits(layer)
      valueByHits(&work, layer)
    } else {
      simulateCandidates(&work, layer)
    }
  }

  /// Values them anew after one was chosen.
  mutating func took(_ work: inout LayerWork, _ layer: LayerOutlook) {
    if work.isDecode {
      work.addHit(probability: work.lastProbability)
      valueByHits(&work, layer)
    } else {
      simulateCandidates(&work, layer)
    }
  }

  private mutating func valueByHits(_ work: inout LayerWork, _ layer: LayerOutlook) {
    let table = table(for: layer.costs, activated: work.activated)
    work.worth = tables[table].worth(hits: work.hits)
    work.offerNext(layer)
  }

  private mutating func table(for costs: LayerCosts, activated: Int) -> Int {
    for index in tables.indices
    where tables[index].makespans.count == activated + 1 && tables[index].costs == costs {
      return index
    }
    scratch.phase = .decode
    scratch.costs = costs
    var makespans: [Double] = []
    var late: [Lateness.Values] = []
    for hits in 0...activated {
      scratch.experts.removeAll(keepingCapacity: true)
      for index in 0..<activated {
        scratch.experts.append(
          ActivatedExpert(index: index, load: 1, residency: index < hits ? .resident : .missing))
      }
      scratch.linkFree = 0
      let now = source.makespan(of: scratch)
      makespans.append(now)
      guard hits < activated else { continue }
      var values = Lateness.Values.zero
      for knot in 0..<Lateness.knots {
        let arrival = costs.linkPerExpert * Double(knot) / Double(Lateness.knots - 1)
        scratch.experts[hits].residency = knot == 0 ? .resident : .arriving(at: arrival)
        scratch.linkFree = arrival
        // What has not begun when its layer starts is given up.
        values[knot] = knot == Lateness.knots - 1 ? now : source.makespan(of: scratch)
      }
      late.append(values)
    }
    scratch.linkFree = 0
    let table = Table(costs: costs, makespans: makespans, late: late)
    guard tables.count == 8 else {
      tables.append(table)
      return tables.count - 1
    }
    defer { nextTable = (nextTable + 1) % 8 }
    tables[nextTable] = table
    return nextTable
  }

  private mutating func simulateCandidates(_ work: inout LayerWork, _ layer: LayerOutlook) {
    work.expectedCase(layer, into: &scratch)
    let now = source.makespan(of: scratch)
    let last = scratch.experts.count - 1
    var best = (position: -1, value: 0.0, impact: 0.0)
    for position in work.candidates.indices {
      let expert = work.candidates[position]
      let known = scratch.experts.firstIndex { $0.index == expert }
      let place = known ?? last
      let kept = scratch.experts[place]
      var before = now
      scratch.experts[place] = ActivatedExpert(
        index: expert, load: work.load(expert, layer), residency: .missing)
      if known == nil { before = source.makespan(of: scratch) }
      scratch.experts[place].residency = .resident
      let impact = before - source.makespan(of: scratch)
      scratch.experts[place] = kept
      let value = layer.probability[expert] * impact
      if value > best.value { best = (position, value, impact) }
    }
    work.worth = Lateness.straight(best.impact)
    work.offer(best.position, layer)
  }
}

/// What an expert is worth that arrives some time after its layer's start.
enum Lateness {
  typealias Values = SIMD8<Double>
  /// Points at which it is simulated, from in time to one whole copy late.
  static let knots = 8

  /// Where nothing better is known: worth the part of the copy that it spares.
  static func straight(_ impact: Double) -> Values {
    var values = Values.zero
    for knot in 0..<knots { values[knot] = impact * (1 - Double(knot) / Double(knots - 1)) }
    return values
  }

  /// - Parameter lateness: as a part of a whole copy.
  static func worth(_ values: Values, at lateness: Double) -> Double {
    guard lateness > 0 else { return values[0] }
    guard lateness < 1 else { return 0 }
    let place = lateness * Double(knots - 1)
    let knot = min(knots - 2, Int(place))
    let part = place - Double(knot)
    return values[knot] * (1 - part) + values[knot + 1] * part
  }
}
