/// What a template sees as `loop`.
///
/// Elements are taken one by one, as in jinja2: a condition behind `if` is asked about an element only
/// when the loop comes to it, or when `loop.last` or `loop.length` must look ahead.
final class LoopState {
  private(set) var index0 = -1
  let depth0: Int
  /// The loop to render again for inner elements, with the scope around it; only of recursive loops.
  var recursion: (loop: ForLoop, scope: Scope)?
  private let pull: () throws -> Value?
  private var ahead: [Value] = []
  private var isExhausted = false
  private var before: Value?
  private var current: Value?
  private var changedValue: [Value]?
  /// The number of elements, once it is known.
  private(set) var knownCount: Int?

  init(count: Int?, depth0: Int, pull: @escaping () throws -> Value?) {
    knownCount = count
    self.depth0 = depth0
    self.pull = pull
  }

  func next() throws -> Value? {
    let element: Value?
    if ahead.isEmpty {
      element = isExhausted ? nil : try pull()
    } else {
      element = ahead.removeFirst()
    }
    guard let element else {
      isExhausted = true
      return nil
    }
    index0 += 1
    before = current
    current = element
    return element
  }

  private func peek() throws -> Value? {
    if ahead.isEmpty, !isExhausted {
      if let element = try pull() { ahead.append(element) } else { isExhausted = true }
    }
    return ahead.first
  }

  func count() throws -> Int {
    if let knownCount { return knownCount }
    while !isExhausted {
      if let element = try pull() { ahead.append(element) } else { isExhausted = true }
    }
    let count = index0 + 1 + ahead.count
    knownCount = count
    return count
  }

  /// Takes apart what it holds.
  func clear() {
    ahead = []
    before = nil
    current = nil
    changedValue = nil
    recursion = nil
    isExhausted = true
  }

  func attribute(_ name: String) throws -> Value? {
    switch name {
    case "index0": .integer(Int128(index0))
    case "index": .integer(Int128(index0 + 1))
    case "first": .bool(index0 == 0)
    case "last": .bool(try peek() == nil)
    case "length": .integer(Int128(try count()))
    case "revindex": .integer(Int128(try count() - index0))
    case "revindex0": .integer(Int128(try count() - index0 - 1))
    case "depth": .integer(Int128(depth0 + 1))
    case "depth0": .integer(Int128(depth0))
    case "previtem": (index0 == 0 ? nil : before) ?? .undefined("there is no previous item")
    case "nextitem": try peek() ?? .undefined("there is no next item")
    default: nil
    }
  }

  func cycle(_ values: [Value]) throws -> Value {
    guard !values.isEmpty else { throw Failure("loop.cycle needs something to go through") }
    return values[max(index0, 0) % values.count]
  }

  func changed(_ values: [Value]) -> Bool {
    if let changedValue, changedValue.count == values.count,
      zip(changedValue, values).allSatisfy({ $0.isEqual(to: $1) })
    {
      return false
    }
    changedValue = values
    return true
  }
}
