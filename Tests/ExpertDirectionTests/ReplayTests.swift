import ExpertDirection
import ExpertScheduling
import ExpertSimulation
import Experts
import RoutingTraces
import Testing

@Suite struct `A recorded run` {
  private let system = SystemDescription(.hybrimoe, cacheRatio: 0.25)

  // What an engine's routers give: numbers that are Floats.
  private func floats(_ event: RoutingEvent) -> RoutingEvent {
    var event = event
    func rounded(_ values: [Double]) -> [Double] { values.map { Double(Float($0)) } }
    event.weights = rounded(event.weights)
    event.scores = rounded(event.scores)
    for place in event.predicted.indices {
      event.predicted[place].scores = rounded(event.predicted[place].scores)
    }
    return event
  }

  private func header(_ world: DirectionWorld) -> TraceHeader {
    TraceHeader(
      model: "small", layers: 5, experts: 16, activated: 2,
      expertBytes: world.costs.layers.map(\.footprint.linkBytes), numbers: .float32)
  }

  @Test func `is decided alike when it is read back`() throws {
    let world = try DirectionWorld.shared.get()
    let events = world.events.map(floats)
    var director = try world.director(system)
    var directives: [LayerDirective] = []
    for event in events {
      directives.append(try director.plan(event))
      director.playPlan()
      director.endLayer()
    }
    director.endStep()
    let text = try RoutingTrace(header: header(world), events: events).text()
    let trace = try RoutingTrace(reading: text)
    #expect(trace.events == events)
    var simulator = try Simulator(
      machine: world.costs, system: system, popularity: world.popularity)
    var place = 0
    simulator.onPlan = { directive in
      #expect(directive == directives[place])
      place += 1
    }
    for event in trace.events { try simulator.play(event) }
    #expect(simulator.finish() == director.currentReport)
    #expect(place == events.count)
  }

  @Test func `is followed by its own clock where the trace has one`() throws {
    let world = try DirectionWorld.shared.get()
    var director = try world.director(system)
    var directives: [LayerDirective] = []
    var events: [RoutingEvent] = []
    var time = 1000.125
    for (place, event) in world.events.enumerated() {
      var event = floats(event)
      // Sometimes the engine is faster than its costs say, sometimes slower.
      time += place.isMultiple(of: 3) ? 20 : 900
      event.microseconds = time
      events.append(event)
      directives.append(try director.plan(event, at: time))
      director.playPlan()
      director.endLayer()
    }
    director.endStep(at: time)
    let text = try RoutingTrace(header: header(world), events: events).text()
    var simulator = try Simulator(
      machine: world.costs, system: system, popularity: world.popularity)
    simulator.followsRecordedTimes = true
    var place = 0
    simulator.onPlan = { directive in
      #expect(directive == directives[place])
      #expect(directive.start >= events[place].microseconds ?? .infinity)
      place += 1
    }
    for event in try RoutingTrace(reading: text).events { try simulator.play(event) }
    #expect(place == events.count)
    let replayed = simulator.finish()
    #expect(replayed.decode.hits == director.report.decode.hits)
    #expect(replayed.decode.linkBytes == director.report.decode.linkBytes)
  }
}
