import OrderedJSON
import TestSupport
import Testing

@Suite struct `A number in JSON` {
  private func parsed(_ text: String) throws -> Double {
    let bytes = Array(text.utf8)
    var scanner = JSONScanner(bytes)
    let value = try scanner.double()
    try scanner.finish()
    return value
  }

  @Test func `reads back to the very same Double that wrote it`() throws {
    var random = SeededGenerator(seed: 1)
    for round in 0..<20_000 {
      // All bit patterns, then magnitudes such as traces have, then halves of a unit in the last place.
      let value: Double
      switch round % 3 {
      case 0: value = Double(bitPattern: random.next())
      case 1: value = Double.random(in: 0...1, using: &random)
      default:
        value =
          Double.random(in: -1...1, using: &random)
          * Double(sign: .plus, exponent: Int.random(in: -90...90, using: &random), significand: 1)
      }
      guard value.isFinite else { continue }
      #expect(try parsed("\(value)").bitPattern == value.bitPattern, "\(value)")
    }
  }

  /// The standard library's conversion is the oracle.
  @Test func `is rounded correctly whatever its digits and exponent`() throws {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<30_000 {
      let digits = (0..<Int.random(in: 1...24, using: &random)).map { _ in
        "\(Int.random(in: 0...9, using: &random))"
      }.joined()
      let point = Int.random(in: 0...digits.count, using: &random)
      let whole = digits.prefix(point).drop { $0 == "0" }
      var text = (whole.isEmpty ? "0" : String(whole))
      if point < digits.count { text += "." + digits.dropFirst(point) }
      if Bool.random(using: &random) { text += "e\(Int.random(in: -40...40, using: &random))" }
      #expect(try parsed(text).bitPattern == Double(text)!.bitPattern, "\(text)")
    }
  }

  @Test(arguments: [
    // Ties between two Doubles go to the even one; one digit more decides.
    ("9007199254740993", 0x1p53), ("9007199254740993.1", 0x1.0000000000001p53),
    ("900719925474099.3e1", 0x1p53), ("9007199254740992.9999999999999999999", 0x1p53),
    ("0.500000000000000055511151231257827", 0.5),
    ("0.50000000000000005551115123125783", 0x1.0000000000001p-1),
    ("4.9406564584124654e-324", Double.leastNonzeroMagnitude), ("2e-324", 0),
    ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown),
    ("1.7976931348623157e308", 0x1.fffffffffffffp1023), ("1e22", 1e22), ("1e23", 1e23),
    ("0e999999999999", 0), ("-0.0", -0.0),
  ]) func `lands on the right side of a tie`(text: String, expected: Double) throws {
    #expect(try parsed(text).bitPattern == expected.bitPattern)
  }

  @Test(arguments: [
    ("1.0", "line 1, column 1: expected a whole number, without fraction or exponent"),
    ("1e0", "line 1, column 1: expected a whole number, without fraction or exponent"),
    ("9223372036854775808", "line 1, column 1: this whole number does not fit into 64 bits"),
    ("-9223372036854775809", "line 1, column 1: this whole number does not fit into 64 bits"),
    ("99999999999999999999", "line 1, column 1: this whole number does not fit into 64 bits"),
    ("\"1\"", "line 1, column 1: expected a whole number, found a string"),
  ]) func `that is asked to be whole must be`(text: String, message: String) {
    let bytes = Array(text.utf8)
    var scanner = JSONScanner(bytes)
    do { Issue.record("accepted: \(try scanner.integer())") } catch {
      #expect("\(error)" == message)
    }
  }

  @Test(arguments: [
    0, -1, 1, Int.max, Int.min, 1_000_000_000_000_000_000, -999_999_999_999_999_999,
  ])
  func `stays whole`(integer: Int) throws {
    guard case .integer(integer) = try JSONValue(parsing: "\(integer)") else {
      Issue.record("became \(try JSONValue(parsing: "\(integer)"))")
      return
    }
  }
}
