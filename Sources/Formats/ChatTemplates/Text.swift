/// A string of a template's language that knows which of its characters came from the input.
///
/// Python counts, cuts and searches strings by code points, so one unit is one code point. Its highest
/// bit says that the code point came from a message: whatever a template does with it, cut, join,
/// replace, change case, the mark goes along, and what a user wrote can never become a control token.
struct Text: Equatable {
  /// Set in units that came from the input; code points need 21 bits.
  static let inputMark: UInt32 = 0x8000_0000

  var units: [UInt32]
  /// What `escape` and `safe` make: a string that escapes what is joined to it.
  var isMarkup = false

  init(units: [UInt32] = [], isMarkup: Bool = false) {
    self.units = units
    self.isMarkup = isMarkup
  }

  init(units: ArraySlice<UInt32>) { self.units = Array(units) }

  /// A string of the template's own.
  init(_ string: String) { units = string.unicodeScalars.map(\.value) }

  /// A string that came with the messages.
  init(input string: String) {
    units = string.unicodeScalars.map { $0.value | Self.inputMark }
  }

  var count: Int { units.count }
  var isEmpty: Bool { units.isEmpty }

  /// The code points without the marks.
  var points: [UInt32] { units.map(\.point) }

  var string: String { Self.string(of: units[...]) }

  static func string(of units: ArraySlice<UInt32>) -> String {
    var scalars = String.UnicodeScalarView()
    for unit in units {
      if let scalar = Unicode.Scalar(unit.point) { scalars.append(scalar) }
    }
    return String(scalars)
  }

  static func == (left: Text, right: Text) -> Bool { left.isEqual(to: right.units) }

  func isEqual(to other: [UInt32]) -> Bool {
    units.count == other.count && zip(units, other).allSatisfy { $0.point == $1.point }
  }

  static func + (left: Text, right: Text) -> Text {
    Text(units: left.units + right.units, isMarkup: left.isMarkup || right.isMarkup)
  }

  // MARK: Searching

  /// Whether the units at some place are those of another string.
  func has(_ other: Text, at start: Int) -> Bool {
    guard start >= 0, start + other.count <= count else { return false }
    for offset in other.units.indices
    where units[start + offset].point != other.units[offset].point {
      return false
    }
    return true
  }

  /// The first place within a range where another string begins.
  func firstIndex(of other: Text, in range: Range<Int>) -> Int? {
    guard other.count <= range.count else { return nil }
    guard let first = other.units.first?.point else { return range.lowerBound }
    let last = range.upperBound - other.count
    var index = range.lowerBound
    while index <= last {
      if units[index].point == first, has(other, at: index) { return index }
      index += 1
    }
    return nil
  }

  /// The last place within a range where another string begins.
  func lastIndex(of other: Text, in range: Range<Int>) -> Int? {
    guard other.count <= range.count else { return nil }
    var index = range.upperBound - other.count
    while index >= range.lowerBound {
      if has(other, at: index) { return index }
      index -= 1
    }
    return nil
  }

  /// All places where another string begins, none overlapping; for an empty one every place.
  func indices(of other: Text, atMost limit: Int = .max) -> [Int] {
    if other.isEmpty { return Array((0...count).prefix(limit)) }
    var found: [Int] = []
    var start = 0
    while found.count < limit, let index = firstIndex(of: other, in: start..<count) {
      found.append(index)
      start = index + other.count
    }
    return found
  }

  func contains(_ other: Text) -> Bool { firstIndex(of: other, in: 0..<count) != nil }

  // MARK: Cutting

  subscript(_ range: Range<Int>) -> Text { Text(units: units[range]) }

  /// Without the code points at its ends that are in a set.
  func trimmed(
    _ isTrimmed: (UInt32) -> Bool = { $0.isPythonSpace }, atStart: Bool = true, atEnd: Bool = true
  ) -> Text {
    var range = units.startIndex..<units.endIndex
    if atStart {
      while let first = units[range].first, isTrimmed(first.point) { range.removeFirst() }
    }
    if atEnd {
      while let last = units[range].last, isTrimmed(last.point) { range.removeLast() }
    }
    return Text(units: Array(units[range]), isMarkup: isMarkup)
  }

  /// Places that Python's `splitlines` takes for the end of a line; `\r\n` is one.
  func lines(keepingEnds: Bool = false) -> [Text] {
    var lines: [Text] = []
    var start = 0
    var index = 0
    while index < count {
      let point = units[index].point
      guard point.isPythonLineEnd else {
        index += 1
        continue
      }
      let end = index
      index += 1
      if point == 0x0D, index < count, units[index].point == 0x0A { index += 1 }
      lines.append(self[start..<(keepingEnds ? index : end)])
      start = index
    }
    if start < count { lines.append(self[start..<count]) }
    return lines
  }
}

extension Range where Bound == Int {
  mutating func removeFirst() { self = lowerBound + 1..<upperBound }
  mutating func removeLast() { self = lowerBound..<upperBound - 1 }
}

extension Sequence where Element == Text {
  /// The strings with another between each two.
  func joined(by separator: Text) -> Text {
    var units: [UInt32] = []
    for (index, text) in enumerated() {
      if index > 0 { units += separator.units }
      units += text.units
    }
    return Text(units: units)
  }
}
