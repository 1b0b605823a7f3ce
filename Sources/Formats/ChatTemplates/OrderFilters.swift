/// Filters that compare elements with each other.
enum OrderFilters {
  static func apply(
    _ name: String, to value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    switch name {
    case "dictsort": return try dictionarySorted(value, arguments, interpreter)
    case "sort":
      let given = try arguments.bound(to: name, ["reverse", "case_sensitive", "attribute"])
      let keyed = try keyed(
        value, try getters(given[2]), isSensitive: given[1]?.isTrue ?? false, interpreter)
      return try .list(
        try sorted(keyed, isReversed: given[0]?.isTrue ?? false, interpreter).map(\.value))
    case "unique":
      let given = try arguments.bound(to: name, ["case_sensitive", "attribute"])
      let getter = try SequenceFilters.Getter(given[1])
      return interpreter.iterator { [unowned interpreter] in
        let keyed = try keyed(value, [getter], isSensitive: given[0]?.isTrue ?? false, interpreter)
        var seen: Set<Key> = []
        return try keyed.filter { seen.insert(try Key($0.keys[0])).inserted }.map(\.value)
      }
    case "groupby": return try grouped(value, arguments, interpreter)
    default:
      let given = try arguments.bound(to: name, ["case_sensitive", "attribute"])
      let getter = try SequenceFilters.Getter(given[1])
      let keyed = try keyed(value, [getter], isSensitive: given[0]?.isTrue ?? false, interpreter)
      guard var best = keyed.first else { return .undefined("there is nothing to choose from") }
      for element in keyed.dropFirst() {
        let isBetter =
          name == "min"
          ? try element.keys[0].isLess(than: best.keys[0])
          : try best.keys[0].isLess(than: element.keys[0])
        if isBetter { best = element }
      }
      return best.value
    }
  }

  private typealias Keyed = (keys: [Value], value: Value)

  /// Several attributes with commas between them.
  private static func getters(_ attribute: Value?) throws -> [SequenceFilters.Getter] {
    guard case .string(let text) = attribute.given else {
      return [try SequenceFilters.Getter(attribute)]
    }
    return try text.string.split(separator: ",", omittingEmptySubsequences: false)
      .map { try SequenceFilters.Getter(.text(String($0))) }
  }

  private static func keyed(
    _ value: Value, _ getters: [SequenceFilters.Getter], isSensitive: Bool,
    _ interpreter: Interpreter
  ) throws -> [Keyed] {
    try SequenceFilters.counted(value, interpreter).map { element in
      let keys = try getters.map { getter in
        folded(try getter.value(of: element, interpreter), isSensitive)
      }
      return (keys, element)
    }
  }

  /// Capital and small letters are alike unless the template says otherwise.
  private static func folded(_ value: Value, _ isSensitive: Bool) -> Value {
    if !isSensitive, case .string(let text) = value { return .string(text.lowercased()) }
    return value
  }

  /// A stable sort, by merging; `Array.sort` promises no stability and takes no failing order kindly.
  private static func sorted(
    _ elements: [Keyed], isReversed: Bool, _ interpreter: Interpreter
  ) throws -> [Keyed] {
    guard elements.count > 1 else { return elements }
    let middle = elements.count / 2
    let left = try sorted(Array(elements[..<middle]), isReversed: isReversed, interpreter)
    let right = try sorted(Array(elements[middle...]), isReversed: isReversed, interpreter)
    try interpreter.budget.make(elements.count * 4)
    var (one, two) = (0, 0)
    var merged: [Keyed] = []
    while one < left.count, two < right.count {
      let takesRight =
        isReversed
        ? try isLess(left[one].keys, right[two].keys)
        : try isLess(right[two].keys, left[one].keys)
      merged.append(takesRight ? right[two] : left[one])
      if takesRight { two += 1 } else { one += 1 }
    }
    return merged + left[one...] + right[two...]
  }

  private static func isLess(_ left: [Value], _ right: [Value]) throws -> Bool {
    for (one, two) in zip(left, right) where !one.isEqual(to: two) {
      return try one.isLess(than: two)
    }
    return false
  }

  private static func dictionarySorted(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    let given = try arguments.bound(to: "dictsort", ["case_sensitive", "by", "reverse"])
    let by = try given[1]?.text("what dictsort sorts by").string ?? "key"
    guard by == "key" || by == "value" else {
      throw Failure("dictsort sorts by 'key' or by 'value', not by '\(by)'")
    }
    if case .undefined(let message) = value { throw Failure(message) }
    guard case .dictionary(let dictionary) = value else {
      throw Failure("a value of type \(value.typeName) has no keys to sort")
    }
    let isSensitive = given[0]?.isTrue ?? false
    let keyed = try zip(dictionary.keys, dictionary.values).map { key, value -> Keyed in
      ([folded(by == "key" ? key : value, isSensitive)], try .tuple([key, value]))
    }
    return try .list(
      try sorted(keyed, isReversed: given[2]?.isTrue ?? false, interpreter).map(\.value))
  }

  private static func grouped(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    let given = try arguments.bound(
      to: "groupby", ["attribute", "default", "case_sensitive"], required: 1)
    let getter = try SequenceFilters.Getter(given[0], missing: given[1])
    let isSensitive = given[2]?.isTrue ?? false
    let keyed = try keyed(value, [getter], isSensitive: isSensitive, interpreter)
    var groups: [(key: Value, shown: Value, elements: [Value])] = []
    for element in try sorted(keyed, isReversed: false, interpreter) {
      if let last = groups.last, last.key.isEqual(to: element.keys[0]) {
        groups[groups.count - 1].elements.append(element.value)
      } else {
        let shown = try getter.value(of: element.value, interpreter)
        groups.append((element.keys[0], shown, [element.value]))
      }
    }
    return try .list(
      groups.map { group in
        .tuple(
          try Items([group.shown, try .list(group.elements)], names: ["grouper", "list"]))
      })
  }
}
