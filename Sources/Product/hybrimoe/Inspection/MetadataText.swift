import GGUF
import OrderedJSON

/// Metadata values as people and programs read them; long arrays and texts are shortened.
enum MetadataText {
  /// Elements that are shown of an array.
  static let shownElements = 6

  /// A value on one line, at most about `width` characters.
  static func line(_ value: GGUFValue, width: Int) -> String {
    switch value {
    case .string(let text): return TerminalText.safe(text, width: width)
    case .array(let array):
      let elements = ((try? array.values(prefix: shownElements)) ?? []).map {
        line($0, width: max(12, width / 3))
      }
      let more = array.count > elements.count ? ", …" : ""
      let kind = " (\(array.count) \(array.elementType.name))"
      return TerminalText.shortened(
        "[\(elements.joined(separator: ", "))\(more)]", max(8, width - kind.count)) + kind
    default: return number(value)
    }
  }

  /// A value for programs: whole texts; arrays with their kind, their count and the first elements.
  static func json(_ value: GGUFValue) -> JSONValue {
    switch value {
    case .uint8(let value): .integer(Int(value))
    case .int8(let value): .integer(Int(value))
    case .uint16(let value): .integer(Int(value))
    case .int16(let value): .integer(Int(value))
    case .uint32(let value): .integer(Int(value))
    case .int32(let value): .integer(Int(value))
    case .uint64(let value): .unsigned(value)
    case .int64(let value): .integer(Int(value))
    case .float32(let value): .float(value)
    case .float64(let value): .double(value)
    case .boolean(let value): .bool(value)
    case .string(let text): .string(text)
    case .array(let array):
      .object([
        ("type", .string(array.elementType.name)), ("count", .integer(array.count)),
        ("first", .array(((try? array.values(prefix: shownElements)) ?? []).map(json))),
      ])
    }
  }

  private static func number(_ value: GGUFValue) -> String {
    switch value {
    case .float32(let value): "\(value)"
    case .float64(let value): "\(value)"
    default: json(value).text
    }
  }
}
