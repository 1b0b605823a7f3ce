/// The slots of one cache: who is resident, who is in use, and who came by a prefetch.
///
/// Knows no rule: callers decide who comes and goes, and the table refuses what would overwrite a
/// slot that a running plan reads. Experts are numbered as in `UseHistory`; slots have the numbers that
/// their owner gave them.
public struct SlotTable: Sendable {
  /// The expert in each place; −1 where it is free.
  public private(set) var occupants: [Int]
  public private(set) var residentCount = 0
  // The number of the slot at each place.
  private var numbers: [Int]
  // The place of each expert, −1 where it is absent.
  private var places: [Int]
  private var references: [Int]
  private var marks: [Bool]
  private var markCount = 0
  private var free: [Int]

  /// - Parameter slots: the slots' numbers.
  public init(experts: Int, slots: Range<Int>) {
    occupants = Array(repeating: -1, count: slots.count)
    numbers = Array(slots)
    places = Array(repeating: -1, count: experts)
    references = Array(repeating: 0, count: experts)
    marks = Array(repeating: false, count: experts)
    free = Array((0..<slots.count).reversed())
  }

  public var slotCount: Int { occupants.count }
  public var hasFreeSlot: Bool { !free.isEmpty }

  public func isResident(_ expert: Int) -> Bool { places[expert] >= 0 }

  /// The slot that holds an expert; `nil` where it is absent.
  public func slot(of expert: Int) -> Int? {
    places[expert] >= 0 ? numbers[places[expert]] : nil
  }

  public func isReferenced(_ expert: Int) -> Bool { references[expert] > 0 }

  /// Whether the expert is resident only because a prefetch brought it since its layer last ran.
  public func isPrefetched(_ expert: Int) -> Bool { marks[expert] }

  /// Whether any expert is resident only because of a prefetch.
  public var hasPrefetchMarks: Bool { markCount > 0 }

  /// Counts these experts as residents like all others from now on.
  public mutating func clearPrefetchMarks(_ experts: Range<Int>) {
    guard markCount > 0 else { return }
    for expert in experts where marks[expert] {
      marks[expert] = false
      markCount -= 1
    }
  }

  /// Puts an expert into a free slot or its victim's; tells which slot.
  @discardableResult
  public mutating func insert(_ expert: Int, replacing victim: Int?, isPrefetched: Bool = false)
    -> Int
  {
    precondition(places[expert] < 0, "the expert is resident already")
    let place: Int
    if let victim {
      place = remove(victim)
    } else {
      precondition(!free.isEmpty, "no slot is free; name a victim")
      place = free.removeLast()
    }
    occupants[place] = expert
    places[expert] = place
    marks[expert] = isPrefetched
    if isPrefetched { markCount += 1 }
    residentCount += 1
    return numbers[place]
  }

  /// Frees an expert's slot.
  public mutating func evict(_ expert: Int) { free.append(remove(expert)) }

  private mutating func remove(_ expert: Int) -> Int {
    let place = places[expert]
    precondition(place >= 0, "the victim is not resident")
    precondition(references[expert] == 0, "a referenced slot is never a victim")
    occupants[place] = -1
    places[expert] = -1
    clearPrefetchMarks(expert..<expert + 1)
    residentCount -= 1
    return place
  }

  /// Keeps an expert in its slot until `release` has been called as often.
  public mutating func retain(_ expert: Int) {
    precondition(places[expert] >= 0, "only a resident expert can be retained")
    references[expert] += 1
  }

  public mutating func release(_ expert: Int) {
    precondition(references[expert] > 0, "the expert was released more often than retained")
    references[expert] -= 1
  }

  /// Gives a free slot away and tells its number.
  public mutating func removeFreeSlot() -> Int {
    precondition(!free.isEmpty, "no slot is free")
    let place = free.removeLast()
    let number = numbers[place]
    let last = occupants.count - 1
    if place != last {
      // The last place moves into the gap.
      occupants[place] = occupants[last]
      numbers[place] = numbers[last]
      if occupants[place] >= 0 {
        places[occupants[place]] = place
      } else if let gap = free.firstIndex(of: last) {
        free[gap] = place
      }
    }
    occupants.removeLast()
    numbers.removeLast()
    return number
  }

  /// Takes over a slot with its number.
  public mutating func addSlot(_ number: Int) {
    free.append(occupants.count)
    occupants.append(-1)
    numbers.append(number)
  }

  /// The resident with the lowest rank, and of those the oldest recency, that is neither referenced
  /// nor spared; `nil` where there is none.
  /// - Complexity: O(slots).
  @inline(__always)
  public func lowestRanked(
    _ ranks: [Double], history: UseHistory, sparing isSpared: (Int) -> Bool
  ) -> Int? {
    var lowest = -1
    for expert in occupants where expert >= 0 {
      if lowest >= 0 {
        guard
          ranks[expert] < ranks[lowest]
            || ranks[expert] == ranks[lowest] && history.recency[expert] < history.recency[lowest]
        else { continue }
      }
      guard references[expert] == 0, !isSpared(expert) else { continue }
      lowest = expert
    }
    return lowest >= 0 ? lowest : nil
  }
}
