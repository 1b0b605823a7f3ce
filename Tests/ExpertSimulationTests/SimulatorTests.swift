import ExpertCaching
import ExpertDirection
import ExpertScheduling
import ExpertSimulation
import Experts
import OrderedJSON
import Testing

@Suite struct `The simulator` {
  static let systems: [SystemDescription] = SchedulerName.allCases.flatMap { name in
    [0.25, 0.5, 1].map { SystemDescription(name, cacheRatio: $0) }
  }

  @Test(arguments: systems)
  func `plays valid plans, counts every expert once and beats no bound`(
    _ system: SystemDescription
  ) throws {
    for (seed, world) in try SimulationWorld.shared.get().enumerated() {
      var planned = 0
      var simulator = try world.simulator(system)
      simulator.onPlan = { planned += $0.layerCase.experts.count }
      for event in world.sequence.events { try simulator.play(event) }
      let report = simulator.finish()
      #expect(planned == report.prefill.activated + report.decode.activated)
      for phase in Phase.allCases {
        let figures = report[phase]
        let place = "\(system.scheduler), ratio \(system.cacheRatio), \(phase), seed \(seed)"
        #expect(figures.plans > 0 && figures.misses >= 0, "\(place)")
        #expect(figures.hits + figures.prefetched + figures.misses == figures.activated, "\(place)")
        #expect(figures.late <= figures.misses, "\(place)")
        expectParts(of: figures, place)
        #expect(figures.boundMicroseconds <= figures.makespanMicroseconds + 1e-6, "\(place)")
        let bound = world.bound(phase).microseconds(slots: system.allSlots(world.machine))
        #expect(bound > 0 && figures.totalMicroseconds >= bound - 1e-6, "\(place)")
        for lane in Lane.allCases { #expect(figures.busyShare(of: lane) <= 1 + 1e-9, "\(place)") }
      }
    }
  }

  /// The parts add up to the activated experts, and to the counts that overlap.
  private func expectParts(of figures: DirectionReport.PhaseFigures, _ place: String) {
    let computed = figures.computed
    #expect(computed.total == figures.activated, "\(place)")
    #expect(computed.residentOnCPU + computed.missingOnCPU == figures.onCPU, "\(place)")
    #expect(computed.residentOnCPU == figures.stolen, "\(place)")
    #expect(computed.copiedOnDemand - computed.late == figures.copiedOnDemand, "\(place)")
    #expect(computed.missingOnCPU + computed.copiedOnDemand == figures.misses, "\(place)")
    #expect(
      figures.hits + figures.prefetched
        == computed.residentOnGPU + computed.prefetchedOnGPU + computed.residentOnCPU, "\(place)")
    #expect(
      computed.residentOnGPU <= figures.hits && computed.prefetchedOnGPU <= figures.prefetched,
      "\(place)")
  }

  @Test(arguments: [SchedulerName.hybrimoe, .hybrimoePaper, .adapmoe])
  func `gives the same for the same input`(_ name: SchedulerName) throws {
    func play() throws -> (DirectionReport, Timeline?, String) {
      let world = try SimulationWorld.shared.get()[0]
      var simulator = try world.simulator(
        SystemDescription(name, cacheRatio: 0.25), recordsTimeline: true)
      var lines = ""
      simulator.onPlan = { lines += $0.json.text + "\n" }
      for event in world.sequence.events { try simulator.play(event) }
      return (simulator.finish(), simulator.timeline, lines)
    }
    let (first, second) = try (play(), play())
    #expect(first.0 == second.0)
    #expect(first.1 == second.1)
    #expect(first.2 == second.2 && first.2.contains("\"lane\":\"gpu\""))
  }

  @Test(arguments: [SchedulerName.hybrimoe, .hybrimoePaper, .ktransformers, .adapmoe])
  func `never lets a lane do two things at once`(_ name: SchedulerName) throws {
    let world = try SimulationWorld.shared.get()[0]
    var simulator = try world.simulator(
      SystemDescription(name, cacheRatio: 0.25), recordsTimeline: true)
    for event in world.sequence.events { try simulator.play(event) }
    let total = simulator.finish()
    let timeline = try #require(simulator.timeline)
    for lane in Lane.allCases {
      let spans = timeline.spans.filter { $0.lane == lane }.sorted { $0.start < $1.start }
      for (earlier, later) in zip(spans, spans.dropFirst()) {
        #expect(later.start >= earlier.end - 1e-6, "\(lane): \(earlier) overlaps \(later)")
      }
    }
    let end = total.prefill.totalMicroseconds + total.decode.totalMicroseconds
    #expect(timeline.end <= end + 1e-6)
  }

  @Test(arguments: [SchedulerName.hybrimoe, .hybrimoePaper, .adapmoe, .dali])
  func `never lets the GPU compute an expert before its copy has ended`(
    _ name: SchedulerName
  ) throws {
    // A fast GPU and link, so that layers end while copies are still on their way.
    for profile in [try SimulationWorld.profile(), try SimulationWorld.profile("rtx-4090")] {
      let world = try SimulationWorld(profile: profile, decode: 40)
      var simulator = try world.simulator(
        SystemDescription(name, cacheRatio: 0.25), recordsTimeline: true)
      for event in world.sequence.events { try simulator.play(event) }
      _ = simulator.finish()
      let spans = try #require(simulator.timeline).spans
      var copied: [ExpertID: [Timeline.Span]] = [:]
      for span in spans where span.lane == .link {
        guard let layer = span.layer, let expert = span.expert else { continue }
        copied[ExpertID(layer: layer, index: expert), default: []].append(span)
      }
      var computed = 0
      for span in spans where span.kind == .missOnGPU {
        guard let layer = span.layer, let expert = span.expert else { continue }
        let pieces = copied[ExpertID(layer: layer, index: expert)] ?? []
        // A piece that ends later belongs to a copy that begins after the computation.
        #expect(pieces.contains { $0.end <= span.start + 1e-6 }, "\(span) has no copy before it")
        #expect(
          !pieces.contains { $0.start < span.start - 1e-6 && $0.end > span.start + 1e-6 },
          "\(span) starts in the middle of its copy")
        #expect(
          !pieces.contains {
            $0.start >= span.start && $0.step == span.step && $0.kind == .onDemandCopy
          },
          "\(span) starts before the last piece of its copy")
        computed += 1
      }
      #expect(computed > 0)
    }
  }

  @Test func `every prefetch has one fate, and the report tells it`() throws {
    let world = try SimulationWorld(profile: SimulationWorld.profile(), decode: 40)
    let report = try world.report(SystemDescription(.hybrimoe, cacheRatio: 0.25))
    let counts = try #require(report.prefetch).total
    #expect(counts.issued > 0 && counts.useful > 0)
    #expect(counts.useful + counts.late + counts.redundant + counts.cancelled <= counts.issued)
    #expect(report.json.text.contains("\"byDistance\""))
    let none = try world.report(SystemDescription(.ktransformers, cacheRatio: 0.25))
    #expect(none.prefetch == nil)
  }

  @Test func `with all experts resident a step takes the sum of its parts`() throws {
    let world = try SimulationWorld(prompt: 0, decode: 1)
    let report = try world.report(SystemDescription(.allGPU, cacheRatio: 1))
    let machine = world.machine
    var expected = machine.denseLayersMicroseconds(tokens: 1, context: 1)
    for (layer, costs) in machine.layerCosts(tokens: 1).enumerated() {
      expected += machine.attentionMicroseconds(layer: layer, tokens: 1, context: 1)
      expected +=
        costs.handshake + costs.sharedOnGPU + costs.gpuPerLaunch + 2 * costs.gpuPerExpert
    }
    expected += machine.outputMicroseconds
    #expect(abs(report.decode.totalMicroseconds - expected) < 1e-6)
    #expect(report.decode.hits == report.decode.activated && report.decode.linkBytes == 0)
  }

  @Test func `a fixed residency never changes and copies nothing in decode`() throws {
    let world = try SimulationWorld.shared.get()[0]
    let report = try world.report(SystemDescription(.ktransformers, cacheRatio: 0.5))
    #expect(report.decode.linkBytes == 0 && report.decode.onCPU == report.decode.misses)
    #expect(report.prefill.onCPU == 0)
    #expect(report.prefill.copiedOnDemand == report.prefill.misses)
  }

  @Test func `copies ahead turn misses into hits, and are counted apart`() throws {
    let profile = try SimulationWorld.profile("paper", host: "xeon-5220r")
    let world = try SimulationWorld(profile: profile, decode: 40)
    var system = SystemDescription(.hybrimoe, cacheRatio: 0.25)
    let with = try world.report(system)
    system.prefetching = .off
    let without = try world.report(system)
    #expect(with.decode.prefetched > 0 && with.decode.copiedAhead > 0)
    #expect(without.decode.prefetched == 0 && without.decode.copiedAhead == 0)
    #expect(with.decode.totalMicroseconds < without.decode.totalMicroseconds)
  }

  @Test func `a misfitting event is an error that says where`() throws {
    let world = try SimulationWorld.shared.get()[0]
    var simulator = try world.simulator(SystemDescription(.hybrimoe, cacheRatio: 0.25))
    var event = world.sequence.events[0]
    for (change, words) in [
      ({ (event: inout RoutingEvent) in event.layer = 4 }, "has 4 MoE layers"),
      ({ $0.ids[0] = 8 }, "expert 8 is not one of the 8"),
      ({ $0.ids[0] = -1 }, "expert -1 is not one"),
      ({ $0.ids.removeLast() }, "not 2 for each token"), ({ $0.ids = [] }, "not 2 for each"),
    ] as [((inout RoutingEvent) -> Void, String)] {
      event = world.sequence.events[0]
      change(&event)
      let error = #expect(throws: SimulationError.self) { try simulator.play(event) }
      let message = error?.description ?? ""
      #expect(message.contains(words), "\(message)")
    }
    try simulator.play(world.sequence.events[0])
    event = world.sequence.events[1]
    event.ids += event.ids
    #expect(throws: SimulationError.self) { try simulator.play(event) }
  }

  @Test func `an impossible description is an error`() throws {
    let world = try SimulationWorld.shared.get()[0]
    for change: (inout SystemDescription) -> Void in [
      { $0.cacheRatio = -0.1 }, { $0.cacheRatio = .nan }, { $0.cacheSlots = 9 },
      { $0.cacheSlots = -1 }, { $0.prefetchSize = -1 }, { $0.eviction = .min },
    ] {
      var system = SystemDescription(.hybrimoe, cacheRatio: 0.5)
      change(&system)
      #expect(throws: SimulationError.self) { _ = try world.simulator(system) }
    }
  }
}
