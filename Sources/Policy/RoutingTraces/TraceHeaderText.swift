import Experts
import OrderedJSON

// The header's line: reading, checking and writing it.
extension TraceHeader {
  /// The value of the key `format`.
  public static let format = "hybrimoe-trace"
  /// The only version of the format there is.
  public static let version = 1
  /// Far more layers than any published model has (94): what is beyond is a damaged file, and would
  /// only exhaust memory.
  public static let maximumLayers = 4096
  /// 2^53: every whole number of bytes up to here is exact in JSON readers everywhere.
  static let maximumExpertBytes = 1 << 53

  /// Reads the first line of a trace. Unknown keys are ignored.
  init(line: [UInt8], in range: Range<Int>) throws(TraceError) {
    do {
      var scanner = JSONScanner(line, in: range)
      let document = JSONNode(try scanner.value())
      try scanner.finish()
      try self.init(document)
    } catch .syntax(_, let column, let problem) {
      throw .header(problem: "column \(column): \(problem)")
    } catch .mismatch(let path, let expected, let found) where path == "version" {
      if case .integer(let version) = Self.value(of: "version", line, range) {
        throw .version(found: version)
      }
      throw .header(problem: "version: expected \(expected), found \(found)")
    } catch {
      throw .header(problem: error.description)
    }
  }

  private init(_ document: JSONNode) throws(JSONError) {
    let format = try document["format"]
    guard try format.string() == Self.format else {
      throw format.mismatch(expected: "\"\(Self.format)\"", found: format.value.text)
    }
    let version = try document["version"]
    guard try version.integer() == Self.version else {
      throw version.mismatch(expected: "\(Self.version)")
    }
    let layers = try document["layers"].integer(in: 1...Self.maximumLayers)
    let experts = try document["experts"].integer(in: 1...ExpertSet.limit)
    self.init(
      model: try document["model"].string(), layers: layers, experts: experts,
      activated: try document["activated"].integer(in: 1...experts),
      expertBytes: try Self.expertBytes(document["expertBytes"], layers: layers),
      numbers: try Self.numbers(document))
  }

  private static func numbers(_ document: JSONNode) throws(JSONError) -> NumberPrecision {
    guard let node = try document.optional("numbers") else { return .float64 }
    guard let numbers = NumberPrecision(rawValue: try node.string()) else {
      throw node.mismatch(
        expected: NumberPrecision.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or "),
        found: node.value.text)
    }
    return numbers
  }

  /// One number for all layers, or one for each; means need not be whole and are rounded.
  private static func expertBytes(_ node: JSONNode, layers: Int) throws(JSONError) -> [Int] {
    func bytes(_ node: JSONNode) throws(JSONError) -> Int {
      Int(try node.number(in: 0...Double(maximumExpertBytes)).rounded())
    }
    guard case .array = node.value else {
      return Array(repeating: try bytes(node), count: layers)
    }
    let elements = try node.elements()
    guard elements.count == layers else {
      throw node.mismatch(
        expected: "a number or an array of \(layers) numbers, one for each layer",
        found: "an array of \(elements.count)")
    }
    var result: [Int] = []
    for element in elements { result.append(try bytes(element)) }
    return result
  }

  private static func value(of key: String, _ line: [UInt8], _ range: Range<Int>) -> JSONValue? {
    var scanner = JSONScanner(line, in: range)
    guard let document = try? scanner.value() else { return nil }
    return try? JSONNode(document)[key].value
  }

  /// The header's line, without a line break. `expertBytes` is one number where all layers agree.
  var line: String {
    let first = expertBytes.first ?? 0
    let bytes =
      expertBytes.allSatisfy { $0 == first }
      ? JSONValue.integer(first) : JSONValue.integers(expertBytes)
    // Files of made-up routing have no such key, as they always had none.
    let numbers =
      numbers == .float64 ? [] : [("numbers", JSONValue.string(numbers.rawValue))]
    return JSONValue.object(
      [
        ("format", .string(Self.format)), ("version", .integer(Self.version)),
        ("model", .string(model)), ("layers", .integer(layers)), ("experts", .integer(experts)),
        ("activated", .integer(activated)), ("expertBytes", bytes),
      ] + numbers
    ).text
  }

  /// Why no trace can have this header; nil where one can.
  var problem: String? {
    if !(1...Self.maximumLayers).contains(layers) {
      return "layers is \(layers), but must be 1 to \(Self.maximumLayers)"
    }
    if !(1...ExpertSet.limit).contains(experts) {
      return "experts is \(experts), but must be 1 to \(ExpertSet.limit)"
    }
    if !(1...experts).contains(activated) {
      return "activated is \(activated), but must be 1 to the number of experts, \(experts)"
    }
    if expertBytes.count != layers {
      return "expertBytes has \(expertBytes.count) numbers, but there are \(layers) layers"
    }
    if !expertBytes.allSatisfy((0...Self.maximumExpertBytes).contains) {
      return "expertBytes must be from 0 to \(Self.maximumExpertBytes)"
    }
    return nil
  }
}
