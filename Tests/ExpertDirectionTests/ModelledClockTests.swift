import ExpertDirection
import ExpertScheduling
import ExpertSimulation
import Experts
import RoutingTraces
import Testing

@Suite struct `A director with the modelled clock` {
  @Test(arguments: DirectionWorld.systems)
  func `decides what the simulator plays, and says where every expert lies`(
    _ system: SystemDescription
  ) throws {
    let world = try DirectionWorld.shared.get()
    var directives: [LayerDirective] = []
    var simulator = try Simulator(
      machine: world.costs, system: system, popularity: world.popularity, recordsTimeline: true)
    simulator.onPlan = { directives.append($0) }
    for event in world.events { try simulator.play(event) }
    let report = simulator.finish()

    var director = try world.director(system, recordsTimeline: true)
    let bytes = world.costs.layers.map(\.footprint.linkBytes)
    var table = PlaceTable(director, bytes: bytes)
    for (place, event) in world.events.enumerated() {
      let directive = try director.plan(event)
      #expect(directive == directives[place])
      table.begin(directive, director.actions)
      director.playPlan()
      table.follow(director.actions)
      table.end()
      director.endLayer()
      table.release(director.actions)
      expectSame(table, director)
    }
    director.endStep()
    #expect(director.currentReport == report)
    #expect(director.timeline == simulator.timeline)
    #expect(table.problems == [], "\(system)")
    #expect(table.mostPlaces <= table.capacity)
    #expect(report.decode.plans == 120 && report.decode.activated > 0)
  }

  private func expectSame(_ table: PlaceTable, _ director: ExpertDirector) {
    let residents = director.residents.enumerated().flatMap { layer, indices in
      indices.map { ExpertID(layer: layer, index: $0) }
    }
    #expect(table.residents == Set(residents))
  }
}
