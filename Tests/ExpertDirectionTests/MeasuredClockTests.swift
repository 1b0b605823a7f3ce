import ExpertDirection
import ExpertPrefetching
import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct `A director with the measured clock` {
  /// Systems that copy in all classes.
  static let systems: [SystemDescription] = DirectionWorld.systems.filter {
    $0.prefetching != .off || $0.scheduler == .allGPU
  }

  @Test(arguments: systems)
  func `gives every copy a place and every plan its experts, however slow the link is`(
    _ system: SystemDescription
  ) throws {
    let world = try DirectionWorld.shared.get()
    for seed in [1, 2] as [UInt64] {
      var lanes = try MeasuredLanes(world, system, seed: seed)
      for event in world.events { try lanes.run(event) }
      #expect(lanes.table.problems == [], "\(system), seed \(seed)")
      #expect(lanes.table.mostPlaces <= lanes.table.capacity, "\(system), seed \(seed)")
      let report = lanes.director.currentReport
      for phase in Phase.allCases {
        let figures = report[phase]
        #expect(figures.plans == (phase == .prefill ? 10 : 120))
        #expect(figures.hits + figures.prefetched + figures.misses == figures.activated)
        #expect(figures.computed.total == figures.activated)
        #expect(figures.computed.residentOnCPU == figures.stolen)
        #expect(figures.linkBytes == lanes.bytes[phase])
      }
    }
  }

  @Test func `decides alike when everything takes as long again`() throws {
    let world = try DirectionWorld.shared.get()
    func play() throws -> ([LayerDirective], DirectionReport) {
      var lanes = try MeasuredLanes(world, SystemDescription(.hybrimoe, cacheRatio: 0.25), seed: 7)
      for event in world.events { try lanes.run(event) }
      return (lanes.directives, lanes.director.currentReport)
    }
    let (first, second) = try (play(), play())
    #expect(first.0 == second.0)
    #expect(first.1 == second.1)
  }

  @Test func `a copy that a plan waits for overtakes all others`() throws {
    let world = try DirectionWorld.shared.get()
    let system = SystemDescription(.hybrimoe, cacheRatio: 0.25)
    var lanes = try MeasuredLanes(world, system, seed: 3)
    for event in world.events { try lanes.run(event) }
    #expect(lanes.overtaking > 0)
    #expect(lanes.late == [])
  }
}

/// Lanes whose times are drawn: the link's pieces take from half to twice what they should, layers end
/// whenever all is done that their plan waits for.
struct MeasuredLanes {
  private(set) var director: ExpertDirector
  private(set) var table: PlaceTable
  private(set) var directives: [LayerDirective] = []
  /// Bytes that the link has carried.
  private(set) var bytes: [Phase: Int] = [.prefill: 0, .decode: 0]
  /// Pieces of plans' copies that were issued while others had begun and not ended.
  private(set) var overtaking = 0
  /// Pieces that were issued although a plan's copy had some left.
  private(set) var late: [TransferQueue.Piece] = []
  private var random: SeededGenerator
  private var now = 0.0
  private var linkFree = 0.0
  private var inFlight: [(piece: TransferQueue.Piece, end: Double)] = []
  private var phase = Phase.prefill
  private var begun: Set<ExpertID> = []

  init(_ world: DirectionWorld, _ system: SystemDescription, seed: UInt64) throws {
    director = try world.director(system, clock: .measured)
    table = PlaceTable(director, bytes: world.costs.layers.map(\.footprint.linkBytes))
    random = SeededGenerator(seed: seed)
  }

  mutating func run(_ event: RoutingEvent) throws {
    // The dense part.
    carry(until: now + Double.random(in: 20...200, using: &random), awaited: [])
    let directive = try director.plan(event, at: now)
    phase = directive.phase
    directives.append(directive)
    table.begin(directive, director.actions)
    var awaited: Set<ExpertID> = []
    for copy in directive.copies + directive.late {
      awaited.insert(ExpertID(layer: directive.layer, index: copy.index))
    }
    if Bool.random(using: &random) {
      director.releaseRing()
      table.follow(director.actions)
    }
    let end = now + directive.plan.makespan * Double.random(in: 0.5...2, using: &random)
    carry(until: end, awaited: awaited)
    table.end()
    director.endLayer(at: now)
    table.release(director.actions)
    let residents = director.residents.enumerated().flatMap { layer, indices in
      indices.map { ExpertID(layer: layer, index: $0) }
    }
    #expect(table.residents == Set(residents))
  }

  // Lets the link work until a time, and until what is awaited has come.
  private mutating func carry(until end: Double, awaited: Set<ExpertID>) {
    var awaited = awaited
    while true {
      while let piece = director.nextPiece(at: now) { issue(piece, awaited) }
      guard let (piece, pieceEnd) = inFlight.first, pieceEnd <= end || !awaited.isEmpty else {
        now = max(now, end)
        return
      }
      inFlight.removeFirst()
      now = max(now, pieceEnd)
      table.carry(piece)
      bytes[phase, default: 0] += piece.byteCount
      let carried = director.pieceDone(at: now)
      #expect(carried.piece == piece && carried.end == now && carried.start <= now)
      for case .changed(.arrived(let expert)) in director.actions {
        awaited.remove(expert)
        begun.remove(expert)
      }
      table.follow(director.actions)
    }
  }

  private mutating func issue(_ piece: TransferQueue.Piece, _ awaited: Set<ExpertID>) {
    if piece.priority == .onDemand {
      if begun.contains(where: { !awaited.contains($0) }) { overtaking += 1 }
    } else {
      begun.insert(piece.expert)
      let isIssued = Set(inFlight.map(\.piece.expert)).union(begun)
      if awaited.contains(where: { !isIssued.contains($0) }) { late.append(piece) }
    }
    let duration = Double(piece.byteCount) / 20_000 * Double.random(in: 0.5...2, using: &random)
    linkFree = max(linkFree, now) + duration
    inFlight.append((piece, linkFree))
  }
}
