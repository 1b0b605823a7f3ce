/// Numbers as templates write them: `12`, `1_000`, `0x1F`, `0b101`, `1.5e-3`.
enum NumberLiterals {
  /// The number that begins at a digit, and where it ends; nil for a whole one beyond 128 bits.
  static func read(
    _ source: [UInt32], from start: Int, allowsFloat: Bool
  ) -> (Token.Kind, Int)? {
    if allowsFloat, let end = endOfFloat(source, from: start),
      let value = Double(digits(source[start..<end]))
    {
      return (.float(value), end)
    }
    let radix = radix(source, start)
    let begin = radix == 10 ? start : start + 2
    var end = begin
    if radix == 10, source[start] == "0" {
      // A number that begins with zero is nothing but zeros.
      end = run(source, from: begin) { $0 == 0x30 }
    } else {
      // Behind the letter of the base an underscore may come first.
      let first = radix != 10 && begin < source.count && source[begin] == "_" ? begin + 1 : begin
      end = run(source, from: first) { isDigit($0, radix) }
      if end == first { end = start }
    }
    if end <= start { return (.integer(0), start + 1) }
    guard let value = Int128(digits(source[begin..<end]), radix: radix) else { return nil }
    return (.integer(value), end)
  }

  private static func radix(_ source: [UInt32], _ start: Int) -> Int {
    guard source[start] == "0", start + 2 < source.count else { return 10 }
    let radix =
      switch source[start + 1] {
      case "b", "B": 2
      case "o", "O": 8
      case "x", "X": 16
      default: 10
      }
    let first = source[start + 2] == "_" ? start + 3 : start + 2
    return radix != 10 && first < source.count && isDigit(source[first], radix) ? radix : 10
  }

  private static func isDigit(_ point: UInt32, _ radix: Int) -> Bool {
    guard let scalar = Unicode.Scalar(point), scalar.isASCII else { return false }
    return Int(String(scalar), radix: radix) != nil && point != 0x2B && point != 0x2D
  }

  /// The end of digits that single underscores may part.
  private static func run(
    _ source: [UInt32], from start: Int, _ isDigit: (UInt32) -> Bool
  ) -> Int {
    var end = start
    while end < source.count {
      if isDigit(source[end]) {
        end += 1
      } else if source[end] == "_", end > start, end + 1 < source.count, isDigit(source[end + 1]) {
        end += 2
      } else {
        break
      }
    }
    return end
  }

  private static func endOfFloat(_ source: [UInt32], from start: Int) -> Int? {
    let whole = run(source, from: start, \.isASCIIDigit)
    var end = whole
    if end + 1 < source.count, source[end] == ".", source[end + 1].isASCIIDigit {
      end = run(source, from: end + 1, \.isASCIIDigit)
    }
    if end < source.count, source[end] == "e" || source[end] == "E" {
      var exponent = end + 1
      if exponent < source.count, source[exponent] == "+" || source[exponent] == "-" {
        exponent += 1
      }
      let last = run(source, from: exponent, \.isASCIIDigit)
      if last > exponent { return last }
    }
    return end > whole ? end : nil
  }

  private static func digits(_ points: ArraySlice<UInt32>) -> String {
    Text.string(of: points.filter { $0 != "_" }[...])
  }
}

/// What follows a backslash in a string, as Python's `unicode-escape` reads it.
enum StringEscapes {
  static func resolve(_ points: ArraySlice<UInt32>, _ position: Position) throws -> [UInt32] {
    guard points.contains(0x5C) else { return Array(points) }
    var result: [UInt32] = []
    var index = points.startIndex
    while index < points.endIndex {
      let point = points[index]
      index += 1
      guard point == "\\", index < points.endIndex else {
        result.append(point)
        continue
      }
      let letter = points[index]
      index += 1
      if let simple = simple[letter] {
        result.append(simple)
      } else if let length = lengths[letter] {
        result.append(try code(points, &index, length, position))
      } else {
        switch letter {
        case "\n": break
        case 0x30...0x37:
          var value = letter - 0x30
          var count = 1
          while count < 3, index < points.endIndex, (0x30...0x37).contains(points[index]) {
            value = value * 8 + points[index] - 0x30
            index += 1
            count += 1
          }
          result.append(value)
        case "N": throw position.error("characters by name (\\N{…}) are not supported")
        case 0x80...: result += Text("\\" + escaped(letter)).units
        default: result += [0x5C, letter]
        }
      }
    }
    return result
  }

  private static let simple: [UInt32: UInt32] = [
    0x61: 0x07, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x76: 0x0B,
    0x5C: 0x5C, 0x27: 0x27, 0x22: 0x22,
  ]
  /// Digits behind `\x`, `\u` and `\U`.
  private static let lengths: [UInt32: Int] = [0x78: 2, 0x75: 4, 0x55: 8]

  private static func code(
    _ points: ArraySlice<UInt32>, _ index: inout Int, _ length: Int, _ position: Position
  ) throws -> UInt32 {
    let end = index + length
    guard end <= points.endIndex,
      points[index..<end].allSatisfy({ Unicode.Scalar($0)?.properties.isASCIIHexDigit ?? false }),
      let value = UInt32(Text.string(of: points[index..<end]), radix: 16)
    else { throw position.error("an escape in this string needs \(length) hexadecimal digits") }
    guard Unicode.Scalar(value) != nil else {
      throw position.error("an escape in this string is no character: \(String(value, radix: 16))")
    }
    index = end
    return value
  }

  /// Python first writes what is not ASCII as an escape, so that a backslash before it meets that one.
  private static func escaped(_ point: UInt32) -> String {
    let digits = String(point, radix: 16)
    let (letter, width) = point < 0x100 ? ("x", 2) : point < 0x10000 ? ("u", 4) : ("U", 8)
    return letter + String(repeating: "0", count: width - digits.count) + digits
  }
}
