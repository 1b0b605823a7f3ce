import OrderedJSON
import TestSupport
import Testing

@Suite struct `A reader of a document` {
  private enum Color: String, CaseIterable { case red, blue }

  private let root = JSONNode(
    try! JSONValue(
      parsing:
        #"{"costs":{"cpuFirst":"x","n":1.5,"whole":3.0,"big":1e300,"u":18446744073709551615},"#
        + #""list":[1,{"a":[true]}],"name":"red","none":null}"#))

  private func message(_ body: () throws -> some Any) -> String {
    do { return "read: \(try body())" } catch { return "\(error)" }
  }

  @Test func `finds what is there`() throws {
    #expect(try root["costs"]["n"].number() == 1.5)
    #expect(try root["costs"]["whole"].integer() == 3)
    #expect(try root["list"].elements()[1]["a"].elements()[0].bool())
    #expect(try root["name"].choice(of: Color.self) == .red)
    #expect(try root.optional("none")?.string() == nil)
    #expect(try root.optional("absent")?.string() == nil)
    #expect(try root.members().map(\.key) == ["costs", "list", "name", "none"])
    #expect(try root["costs"]["n"].number(in: 1.5...2) == 1.5)
  }

  @Test func `says where a value is not what was expected`() {
    #expect(
      message { try root["costs"]["cpuFirst"].number() }
        == "costs.cpuFirst: expected a number, found a string")
    #expect(
      message { try root["costs"]["n"].integer() }
        == "costs.n: expected a whole number, found 1.5")
    #expect(
      message { try root["costs"]["big"].integer() }
        == "costs.big: expected a whole number, found 1e+300")
    #expect(
      message { try root["costs"]["u"].integer() }
        == "costs.u: expected a whole number below 2^63, found 18446744073709551615")
    #expect(
      message { try root["costs"]["n"].number(in: 2...1e9) }
        == "costs.n: expected a number from 2 to 1000000000, found 1.5")
    #expect(
      message { try root["costs"]["whole"].integer(in: 4...Int.max) }
        == "costs.whole: expected a whole number of at least 4, found 3.0")
    #expect(
      message { try root["list"].elements()[1]["a"].elements()[0].string() }
        == "list[1].a[0]: expected a string, found true")
    #expect(message { try root["list"]["x"] } == "list: expected an object, found an array")
    #expect(message { try root["x"] } == "expected the key \"x\", found none")
    #expect(message { try root["name"].elements() } == "name: expected an array, found a string")
    #expect(message { try root.bool() } == "expected true or false, found an object")
    #expect(
      message { try root["none"].number() } == "none: expected a number, found null")
    #expect(
      message { try JSONNode(.string("green"), path: "color").choice(of: Color.self) }
        == "color: expected one of red, blue, found \"green\"")
    #expect(
      message { try root["costs"].refuseOthers(than: ["cpuFirst", "n"]) }
        == "costs.whole: expected one of the keys cpuFirst, n, found \"whole\"")
  }
}

@Suite struct `A random document` {
  private func value(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2:
      return .integer(
        Int(truncatingIfNeeded: random.next() >> UInt64.random(in: 0...63, using: &random)))
    case 3: return .unsigned(random.next() | 1 << 63)
    case 4:
      let number = Double(bitPattern: random.next())
      return number.isFinite ? .double(number) : .double(0.5)
    case 5: return .string(string(&random))
    case 6:
      return .array(
        (0..<Int.random(in: 0...5, using: &random)).map { _ in value(&random, depth: depth - 1) })
    default:
      return .object(
        (0..<Int.random(in: 0...20, using: &random)).map { index in
          ("\(index)" + string(&random), value(&random, depth: depth - 1))
        })
    }
  }

  private func string(_ random: inout SeededGenerator) -> String {
    var result = ""
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let scalar = Unicode.Scalar(
        UInt32.random(in: 0...0x10FFFF, using: &random) >> UInt32.random(in: 0...16, using: &random)
      )
      result.unicodeScalars.append(scalar ?? "x")
    }
    return result
  }

  @Test(arguments: 0..<100) func `is read as it was written`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let document = value(&random, depth: 4)
    #expect(try JSONValue(parsing: document.text).text == document.text, "seed \(seed)")
  }

  /// `==` compares texts; this compares the cases too.
  @Test func `keeps the kinds of its numbers`() throws {
    let document = try JSONValue(parsing: "[1,1.0,18446744073709551615]")
    guard case .array(let elements) = document, case .integer(1) = elements[0],
      case .double(1) = elements[1], case .unsigned(.max) = elements[2]
    else {
      Issue.record("\(document)")
      return
    }
  }
}
