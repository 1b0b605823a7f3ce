import Experts

/// Hit rates of many rules, capacities and admissions over one trace, in one reading.
///
/// Feed it the events in order, then ask for the results. Rules that need the future are replayed at
/// the end, from a log of eight bytes an activation; all others need no memory for the past.
public struct TraceStatistics: Sendable {
  public let header: TraceHeader
  public let request: ReplayRequest
  /// Events read so far.
  public var eventCount: Int { log.count }
  private var event: LayerActivation
  private var log = ActivationLog()
  private var groups: [ReplayGroup] = []

  /// - Throws: `CachingError` where header or request make no sense.
  public init(header: TraceHeader, request: ReplayRequest) throws(CachingError) {
    try request.validate()
    guard
      header.layers > 0, header.experts > 0, header.activated > 0,
      header.activated <= header.experts
    else {
      throw .badShape(
        layers: header.layers, experts: header.experts, activated: header.activated)
    }
    self.header = header
    self.request = request
    event = LayerActivation(experts: header.experts, topK: header.activated)
    for name in request.evictions where !name.isOffline {
      groups.append(
        ReplayGroup(name, header: header, request: request) { setting, _ in
          EvictionPolicies.named(name, setting).map {
            RankedExperts(experts: setting.universe, policy: $0)
          } ?? RankedExperts(setting, contest: nil)
        })
    }
  }

  /// Plays the next event of the trace.
  /// - Complexity: O(tokens × experts + rules × experts + combinations × misses × slots).
  public mutating func append(_ routed: RoutingEvent) {
    event.read(routed)
    log.append(event)
    for index in groups.indices { groups[index].play(event) }
  }

  /// One line for each capacity, admission, rule and phase that the trace has.
  /// - Complexity: O(1), or a replay of all events where the request has offline rules.
  public func results() -> [ReplayResult] {
    var groups = self.groups
    let offline = request.evictions.filter(\.isOffline)
    if !offline.isEmpty { groups += replay(offline) }
    var results: [ReplayResult] = []
    for (place, capacity) in request.capacities.enumerated() {
      for admission in request.admissions {
        let seats = request.evictions.compactMap { name in
          groups.lazy.filter { $0.name == name }.flatMap(\.seats).first {
            $0.capacity == place && $0.admission == admission
          }.map { (name: name, seat: $0) }
        }
        let bound = seats.first { $0.name == .min }?.seat.statistics
        for (name, seat) in seats {
          for phase in Phase.allCases where seat.statistics[phase].events > 0 {
            let statistics = seat.statistics[phase]
            results.append(
              ReplayResult(
                capacity: capacity, slots: seat.slots, eviction: name, admission: admission,
                phase: phase, statistics: statistics,
                ofMIN: bound.map { statistics.share(ofMIN: $0[phase]) }))
          }
        }
      }
    }
    return results
  }

  // The rules that need the future: what they must know is counted in a first reading of the log.
  private func replay(_ names: [EvictionName]) -> [ReplayGroup] {
    var event = event
    var uses = NextUses(layers: header.layers, experts: header.experts)
    var popularity = Array(repeating: 0.0, count: header.layers * header.experts)
    log.replay(into: &event) { event in
      uses.append(event)
      for index in event.activated { popularity[event.layer * header.experts + index] += 1 }
    }
    let (known, counts) = (uses, popularity)
    var groups = names.map { name in
      ReplayGroup(name, header: header, request: request) { setting, layer in
        guard name == .static else {
          return RankedExperts(
            experts: setting.universe, offline: OfflineMIN(experts: setting.universe, uses: known))
        }
        let first = layer * setting.experts
        let popularity = Array(counts[first..<first + setting.universe])
        return RankedExperts(
          experts: setting.universe, policy: StaticFrequency(popularity: popularity))
      }
    }
    log.replay(into: &event) { event in
      for index in groups.indices { groups[index].play(event) }
    }
    return groups
  }
}
