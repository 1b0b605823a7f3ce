import ExpertDirection
import ExpertPrefetching
import ExpertScheduling
import ExpertSimulation
import Experts
import RoutingTraces
import Testing

@Suite struct `A director whose machine fails it` {
  private let system = SystemDescription(.hybrimoe, cacheRatio: 0.25)

  @Test func `gives up a copy that is refused, and what was inserted for it`() throws {
    let world = try DirectionWorld.shared.get()
    var system = system
    system.scheduler = .allGPU
    system.streamsPrefill = false
    var director = try world.director(system, clock: .measured)
    let directive = try director.plan(world.events[0], at: 10)
    let copies = directive.copies.map { ExpertID(layer: 0, index: $0.index) }
    #expect(copies.count > 1)
    for expert in copies { director.refuse(expert) }
    while let piece = director.nextPiece(at: 20) {
      #expect(piece.priority != .onDemand)
      _ = director.pieceDone(at: 30)
    }
    for expert in copies { #expect(!director.isResident(expert)) }
    director.endLayer(at: 40)
    for expert in copies { #expect(!director.isResident(expert)) }
  }

  @Test func `a refused expert whose bytes are on the link is abandoned when they have come`()
    throws
  {
    let world = try DirectionWorld.shared.get()
    var system = system
    system.scheduler = .allGPU
    var director = try world.director(system, clock: .measured)
    let directive = try director.plan(world.events[0], at: 10)
    let next = director.nextPiece(at: 10)
    let piece = try #require(next)
    #expect(piece.expert.index == directive.copies[0].index)
    director.refuse(piece.expert)
    #expect(!director.actions.contains(.changed(.abandoned(piece.expert))))
    director.pieceDone(at: 50)
    #expect(director.actions == [.changed(.abandoned(piece.expert))])
  }

  @Test func `a layer's slots can be taken away, the least valuable residents first`() throws {
    let world = try DirectionWorld.shared.get()
    var director = try world.director(system)
    let before = director.slots
    #expect(director.shrink(layer: 1, by: 2) == 2)
    let evicted = director.actions.compactMap {
      if case .changed(.evicted(let expert)) = $0 { expert } else { nil as ExpertID? }
    }
    #expect(evicted.count == 2 && evicted.allSatisfy { $0.layer == 1 })
    #expect(director.slots[1] == before[1] - 2 && director.residents[1].count == before[1] - 2)
    // More than there are: all go, and the run goes on without.
    #expect(director.shrink(layer: 1, by: 100) == before[1] - 2)
    let ring = director.ringCapacity
    #expect(director.shrinkRing(by: 1) == 1 && director.ringCapacity == ring - 1)
    for event in world.events {
      _ = try director.plan(event)
      director.playPlan()
      director.endLayer()
      #expect(director.residents[1].isEmpty)
      for layer in 0..<5 { #expect(director.residents[layer].count <= director.slots[layer]) }
    }
  }

  @Test func `other costs give other plans from the next layer on`() throws {
    let world = try DirectionWorld.shared.get()
    let slow = try DirectionWorld.costs(layers: 5, experts: 16, speedup: 0.1)
    var changed = try world.director(system)
    var same = try world.director(system)
    var differs = false
    for (place, event) in world.events.enumerated() {
      if place == 7 { changed.updateCosts(slow) }
      let (first, second) = try (changed.plan(event), same.plan(event))
      if place < 7 { #expect(first == second) } else { differs = differs || first != second }
      if place == 7 { #expect(first.layerCase.costs == slow.layerCosts(tokens: 9)[2]) }
      changed.playPlan()
      same.playPlan()
      changed.endLayer()
      same.endLayer()
    }
    #expect(differs)
  }

  @Test func `routing that the model cannot have made changes nothing`() throws {
    let world = try DirectionWorld.shared.get()
    var director = try world.director(system)
    var event = world.events[0]
    event.ids[0] = 16
    let error = #expect(throws: DirectionError.self) { _ = try director.plan(event) }
    #expect(error?.description.contains("expert 16 is not one of the 16") == true)
    var untouched = try world.director(system)
    #expect(try director.plan(world.events[0]) == untouched.plan(world.events[0]))
    director.playPlan()
    director.endLayer()
    director.endStep()
    #expect(throws: DirectionError.self) { _ = try director.plan(world.events[1]) }
  }

  @Test(arguments: [[1, 2, 3], [1, 2, 3, 4, 17], [1, 2, 3, 4, -1]])
  func `slots that do not fit the model are refused`(_ slots: [Int]) throws {
    var system = system
    system.layerSlots = slots
    let world = try DirectionWorld.shared.get()
    #expect(throws: DirectionError.self) { _ = try world.director(system) }
  }
}
