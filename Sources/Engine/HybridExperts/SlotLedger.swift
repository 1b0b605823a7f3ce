import Experts

/// Who is in which slot of device memory, and who still needs it there: the rules, without the memory.
///
/// A slot is handed out only while nobody is in it and nobody retains it. It then belongs to the
/// *incoming* expert until its last byte has been submitted, when it is *resident*; dropped, it may be
/// handed out again at once, because whoever overwrites it waits for its last reader.
struct SlotLedger: Sendable {
  enum Content: Equatable, Sendable {
    case empty
    case incoming(ExpertID)
    case resident(ExpertID)
  }

  private struct Slot: Sendable {
    var content = Content.empty
    var references = 0
  }

  private var slots: [Slot]
  private var places: [ExpertID: Int] = [:]
  // Taken in the order in which slots became free, so that the longest read slot goes first.
  private var free: [Int]

  init(count: Int) {
    slots = Array(repeating: Slot(), count: count)
    free = Array(0..<count)
    places.reserveCapacity(count)
  }

  var count: Int { slots.count }
  var freeCount: Int { free.count }

  /// The slot that an expert is in or on its way to.
  func slot(of expert: ExpertID) -> Int? { places[expert] }

  func content(of slot: Int) -> Content { slots[slot].content }

  func isResident(_ expert: ExpertID) -> Bool {
    guard let slot = places[expert] else { return false }
    return slots[slot].content == .resident(expert)
  }

  func isRetained(_ slot: Int) -> Bool { slots[slot].references > 0 }

  /// Hands out a free slot; `nil` where there is none.
  mutating func claim(for expert: ExpertID) -> Int? {
    precondition(places[expert] == nil, "the expert has a slot already")
    guard !free.isEmpty else { return nil }
    let slot = free.removeFirst()
    precondition(slots[slot].content == .empty && slots[slot].references == 0)
    slots[slot].content = .incoming(expert)
    places[expert] = slot
    return slot
  }

  /// The expert's last byte is on its way, and everything that reads it from now on waits for it.
  mutating func publish(_ expert: ExpertID) {
    guard let slot = places[expert] else { preconditionFailure("the expert has no slot") }
    precondition(slots[slot].content == .incoming(expert), "the expert is there already")
    slots[slot].content = .resident(expert)
  }

  /// Takes an expert out of its slot, which is free from now on.
  mutating func drop(_ expert: ExpertID) {
    guard let slot = places.removeValue(forKey: expert) else {
      preconditionFailure("the expert has no slot")
    }
    precondition(slots[slot].references == 0, "a retained slot is never emptied")
    slots[slot].content = .empty
    free.append(slot)
  }

  /// Keeps an expert where it is until `release` has been called as often.
  mutating func retain(_ expert: ExpertID) {
    guard let slot = places[expert] else { preconditionFailure("the expert has no slot") }
    slots[slot].references += 1
  }

  mutating func release(_ expert: ExpertID) {
    guard let slot = places[expert] else { preconditionFailure("the expert has no slot") }
    precondition(slots[slot].references > 0, "released more often than retained")
    slots[slot].references -= 1
  }

  /// Takes all references back, for a step that was given up.
  mutating func releaseAll() {
    for slot in slots.indices { slots[slot].references = 0 }
  }

  /// Every expert with a slot, in no order.
  var experts: Dictionary<ExpertID, Int>.Keys { places.keys }
}
