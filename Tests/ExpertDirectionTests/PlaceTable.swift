import ExpertDirection
import ExpertPrefetching
import Experts

/// The engine's table of physical places, as far as bookkeeping goes: follows the director's actions
/// and says where they cannot be followed.
struct PlaceTable {
  private(set) var residents: Set<ExpertID>
  /// Bytes that have arrived of each expert that has a place.
  private(set) var places: [ExpertID: Int] = [:]
  private(set) var problems: [String] = []
  private(set) var mostPlaces = 0
  let capacity: Int
  private let bytes: [Int]
  /// Copies on demand that have arrived and do not stay, the oldest first: their places may be
  /// written to again when the GPU has read them.
  private var passing: [ExpertID] = []
  /// Experts that the running plan reads on the GPU: residents, and those that are still to come.
  private var held: Set<ExpertID> = []
  private var awaited: Set<ExpertID> = []
  /// Copies of the running plan that have to keep their places until its end.
  private var kept: Set<ExpertID> = []
  private var isRunning = false

  init(_ director: ExpertDirector, bytes: [Int]) {
    self.bytes = bytes
    capacity = director.slots.reduce(0, +) + director.extraSlots
    residents = []
    for (layer, indices) in director.residents.enumerated() {
      for index in indices {
        let expert = ExpertID(layer: layer, index: index)
        residents.insert(expert)
        places[expert] = bytes[layer]
      }
    }
  }

  func isWhole(_ expert: ExpertID) -> Bool { places[expert] == bytes[expert.layer] }

  /// Follows what a plan did; its readers hold their places until the layer ends.
  mutating func begin(_ directive: LayerDirective, _ actions: [DirectedAction]) {
    let routed = actions.firstIndex(of: .routed) ?? actions.startIndex
    if actions.count(where: { $0 == .routed }) != 1 { problems.append("a layer is routed once") }
    follow(actions[..<routed])
    for operation in directive.plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: directive.layer, index: index)
      let isResident =
        directive.layerCase.experts.first { $0.index == index }?.residency == .resident
      if isResident { held.insert(expert) } else { awaited.insert(expert) }
    }
    kept = []
    for copy in directive.copies + directive.late where copy.stays {
      kept.insert(ExpertID(layer: directive.layer, index: copy.index))
    }
    isRunning = false
    follow(actions[routed...])
    isRunning = true
    for expert in held where !isWhole(expert) {
      problems.append("\(expert) is resident, but its bytes are not there")
    }
  }

  /// What the GPU was to compute must have come before the layer's end.
  mutating func end() {
    for expert in awaited {
      problems.append("\(expert) was computed on the GPU without its bytes")
    }
    awaited = []
  }

  /// Follows the end of a layer: whatever was only kept to be read has been read.
  mutating func release(_ actions: [DirectedAction]) {
    follow(actions)
    isRunning = false
    held = []
    for expert in passing { places[expert] = nil }
    passing = []
    for expert in kept where !residents.contains(expert) { places[expert] = nil }
    kept = []
  }

  mutating func follow(_ actions: some Sequence<DirectedAction>) {
    for action in actions {
      switch action {
      case .carried(let carried): carry(carried.piece)
      case .changed(let change): follow(change)
      case .routed: break
      }
    }
  }

  mutating func carry(_ piece: TransferQueue.Piece) {
    let expert = piece.expert
    if piece.offset == 0 {
      if isWhole(expert) { problems.append("\(expert) is copied, but is there") }
      places[expert] = nil
      if places.count == capacity, let oldest = passing.first {
        passing.removeFirst()
        places[oldest] = nil
      }
      places[expert] = 0
    }
    guard places[expert] == piece.offset else {
      return problems.append("\(expert) gets bytes from \(piece.offset) on, out of order")
    }
    places[expert] = piece.offset + piece.byteCount
    mostPlaces = max(mostPlaces, places.count)
    if places.count > capacity { problems.append("\(expert) has no place to go to") }
  }

  private mutating func follow(_ change: ResidencyChange) {
    switch change {
    case .inserted(let expert, let victim):
      if !residents.insert(expert).inserted { problems.append("\(expert) is inserted twice") }
      passing.removeAll { $0 == expert }
      if let victim { leave(victim) }
    case .evicted(let expert): leave(expert)
    case .arrived(let expert):
      if !isWhole(expert) { problems.append("\(expert) arrived before its bytes") }
      awaited.remove(expert)
      if !residents.contains(expert), !kept.contains(expert) { passing.append(expert) }
    case .ringTaken(let expert):
      if !isWhole(expert) { problems.append("\(expert) is in the ring before its bytes") }
    case .ringLeft(let expert), .dropped(let expert), .abandoned(let expert): free(expert)
    }
  }

  private mutating func leave(_ expert: ExpertID) {
    if residents.remove(expert) == nil { problems.append("\(expert) leaves, but is not resident") }
    // The running plan reads it all the same, and before any copy that needs its place.
    if held.contains(expert) {
      // One that goes while the plan runs may come back at the layer's end.
      if isRunning { kept.insert(expert) } else { passing.append(expert) }
      return
    }
    if !awaited.contains(expert), !kept.contains(expert) { free(expert) }
  }

  private mutating func free(_ expert: ExpertID) {
    guard !residents.contains(expert) else { return }
    places[expert] = nil
    passing.removeAll { $0 == expert }
  }
}
