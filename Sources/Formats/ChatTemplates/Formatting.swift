/// `'%s has %d' % values`
enum PercentFormat {
  static func apply(_ format: Text, _ values: Value, _ interpreter: Interpreter) throws -> Text {
    var formatter = Formatter(format, values, interpreter)
    return try formatter.run()
  }

  private struct Formatter {
    let units: [UInt32]
    let points: [UInt32]
    let interpreter: Interpreter
    let isMarkup: Bool
    let mapping: Dictionary?
    /// Whether values may be left over: where the right side has elements by key.
    let toleratesRest: Bool
    var arguments: [Value]
    var next = 0
    var index = 0
    var result = Text()

    init(_ format: Text, _ values: Value, _ interpreter: Interpreter) {
      units = format.units
      points = format.points
      isMarkup = format.isMarkup
      self.interpreter = interpreter
      switch values {
      case .tuple(let items):
        (arguments, mapping, toleratesRest) = (items.elements, nil, false)
      case .dictionary(let dictionary):
        (arguments, mapping, toleratesRest) = ([values], dictionary, true)
      case .list, .undefined, .range: (arguments, mapping, toleratesRest) = ([values], nil, true)
      default: (arguments, mapping, toleratesRest) = ([values], nil, false)
      }
    }

    mutating func run() throws -> Text {
      while index < points.count {
        let unit = units[index]
        index += 1
        if unit.point == "%" {
          try convert()
        } else {
          result.units.append(unit)
        }
        try interpreter.budget.check(result.count)
      }
      guard next >= arguments.count || toleratesRest else {
        throw Failure("there are more values than the format has places for")
      }
      try interpreter.budget.make(result.count)
      result.isMarkup = isMarkup
      return result
    }

    private mutating func take() throws -> Value {
      guard next < arguments.count else { throw Failure("there are too few values for the format") }
      next += 1
      return arguments[next - 1]
    }

    private mutating func point() throws -> UInt32 {
      guard index < points.count else { throw Failure("the format ends within a '%'") }
      index += 1
      return points[index - 1]
    }

    private mutating func convert() throws {
      var keyed: Value?
      if index < points.count, points[index] == "(" {
        keyed = try key()
      }
      var form = FormatSpecification()
      var isLeft = false
      var isZero = false
      flags: while index < points.count {
        switch points[index] {
        case "-": isLeft = true
        case "+": form.sign = 0x2B
        case " ": if form.sign != 0x2B { form.sign = 0x20 }
        case "#": form.isAlternate = true
        case "0": isZero = true
        default: break flags
        }
        index += 1
      }
      if let width = try number() {
        isLeft = isLeft || width < 0
        form.width = Int(width.magnitude)
      }
      if index < points.count, points[index] == "." {
        index += 1
        form.precision = max(0, try number() ?? 0)
      }
      while index < points.count, [0x68, 0x6C, 0x4C].contains(points[index]) { index += 1 }
      let type = try point()
      if type == "%" {
        result.units.append(0x25)
        return
      }
      let value = try keyed ?? take()
      form.alignment = isLeft ? 0x3C : 0x3E
      result.units += try text(value, type, form, isZero: isZero && !isLeft).units
    }

    private mutating func key() throws -> Value {
      guard let mapping else { throw Failure("a format with names needs a dict") }
      index += 1
      let start = index
      var level = 1
      while level > 0 {
        switch try point() {
        case "(": level += 1
        case ")": level -= 1
        default: break
        }
      }
      let name = Text(units: Array(points[start..<index - 1]))
      guard let value = mapping[try Key(.string(name))] else {
        throw Failure("the dict has no '\(name.string)'")
      }
      next = arguments.count
      return value
    }

    private mutating func number() throws -> Int? {
      if index < points.count, points[index] == "*" {
        index += 1
        let width = try take().index("a width")
        guard width.magnitude <= UInt(FormatSpecification.maximum) else {
          throw Failure.limit("a width or precision is above \(FormatSpecification.maximum)")
        }
        return width
      }
      return try FormatSpecification.number(points, &index)
    }

    private func text(
      _ value: Value, _ type: UInt32, _ form: FormatSpecification, isZero: Bool
    ) throws -> Text {
      var form = form
      switch type {
      case "s", "r", "a":
        var text = try type == 0x73 ? value.printed() : value.represented()
        if type == "s", isMarkup { text = text.escaped() }
        if let precision = form.precision { text = text[0..<min(precision, text.count)] }
        return form.padded(text, sign: Text(), ">")
      case "c":
        if case .string(let text) = value, text.count == 1 {
          return form.padded(text, sign: Text(), ">")
        }
        guard case .integer(let number)? = value.number, let point = UInt32(exactly: number),
          Unicode.Scalar(point) != nil
        else { throw Failure("%c needs a character") }
        return form.padded(Text(units: [point]), sign: Text(), ">")
      default: break
      }
      if case .undefined(let message) = value { throw Failure(message) }
      guard let number = value.number else {
        throw Failure("a format needs a number, not a \(value.typeName)")
      }
      if isZero { (form.fill, form.alignment) = (0x30, 0x3D) }
      switch type {
      case "d", "i", "u", "x", "X", "o": return try integer(number, type, form)
      case "e", "E", "f", "F", "g", "G":
        form.type = type
        if !number.double.isFinite, isZero { (form.fill, form.alignment) = (0x20, 0x3E) }
        return try form.apply(.float(number.double))
      default: throw Failure("'%' does not know '\(Text(units: [type]).string)'")
      }
    }

    private func integer(
      _ number: Number, _ type: UInt32, _ form: FormatSpecification
    ) throws -> Text {
      let whole: Int128
      switch number {
      case .integer(let integer): whole = integer
      case .float(let float):
        guard type == "d" || type == "i" || type == "u",
          let integer = Int128(exactly: float.rounded(.towardZero))
        else { throw Failure("a format needs a whole number") }
        whole = integer
      }
      var form = form
      let (radix, prefix) =
        switch type {
        case "x": (16, "0x")
        case "X": (16, "0X")
        case "o": (8, "0o")
        default: (10, "")
        }
      // The precision of a whole number is the least number of digits.
      if let precision = form.precision {
        form.precision = nil
        let digits = String(whole.magnitude, radix: radix, uppercase: type == 0x58)
        let zeros = String(repeating: "0", count: max(0, precision - digits.count))
        let sign = whole < 0 ? "-" : form.sign == 0x2D ? "" : Text(units: [form.sign]).string
        return form.padded(
          Text(zeros + digits), sign: Text(sign + (form.isAlternate ? prefix : "")), ">")
      }
      return try form.integer(whole, radix: radix, prefix: prefix)
    }
  }
}

/// `'{} has {0.name:>5}'.format(values)`
enum BraceFormat {
  static func apply(
    _ format: Text, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    var formatter = Formatter(arguments: arguments, interpreter: interpreter)
    var text = try formatter.run(format, level: 0)
    text.isMarkup = format.isMarkup
    return text
  }

  private struct Formatter {
    let arguments: Arguments
    let interpreter: Interpreter
    /// The number of the next field without one; nil once fields have numbers.
    var automatic: Int? = 0
    var isManual = false

    mutating func run(_ format: Text, level: Int) throws -> Text {
      guard level < 2 else { throw Failure("a format is nested too deep") }
      var result = Text()
      var index = 0
      while index < format.count {
        let unit = format.units[index]
        index += 1
        let isDoubled = index < format.count && format.units[index].point == unit.point
        switch unit.point {
        case "{" where !isDoubled, "}" where !isDoubled:
          guard unit.point == "{" else { throw Failure("a single '}' stands in a format") }
          result.units += try field(format, &index, level).units
        case "{", "}":
          result.units.append(unit)
          index += 1
        default: result.units.append(unit)
        }
        try interpreter.budget.check(result.count)
      }
      try interpreter.budget.make(result.count)
      return result
    }

    private mutating func field(
      _ format: Text, _ index: inout Int, _ level: Int
    ) throws -> Text {
      let start = index
      var depth = 1
      while index < format.count {
        if format.units[index].point == "{" { depth += 1 }
        if format.units[index].point == "}" { depth -= 1 }
        index += 1
        if depth == 0 { break }
      }
      guard depth == 0 else { throw Failure("'}' is missing in a format") }
      let field = format[start..<index - 1]
      let colon = field.firstIndex(of: Text(":"), in: 0..<field.count)
      var head = field[0..<(colon ?? field.count)]
      var conversion: UInt32?
      if let mark = head.lastIndex(of: Text("!"), in: 0..<head.count), mark == head.count - 2 {
        conversion = head.units[mark + 1].point
        head = head[0..<mark]
      }
      var value = try self.value(head)
      switch conversion {
      case nil: break
      case 0x73: value = .string(try value.printed())
      case 0x72, 0x61: value = .string(try value.represented())
      default: throw Failure("a format has an unknown conversion")
      }
      let rest = colon.map { field[$0 + 1..<field.count] } ?? Text()
      let specification = try run(rest, level: level + 1)
      if specification.isEmpty { return try value.printed() }
      return try FormatSpecification(specification).apply(value)
    }

    private mutating func value(_ path: Text) throws -> Value {
      let points = path.points
      var index = points.firstIndex { $0 == "." || $0 == "[" } ?? points.count
      let first = path[0..<index]
      var value = try argument(first)
      while index < points.count {
        let isAttribute = points[index] == "."
        let start = index + 1
        if isAttribute {
          index = points[start...].firstIndex { $0 == "." || $0 == "[" } ?? points.count
          value = try interpreter.attribute(path[start..<index].string, of: value)
        } else {
          guard let end = points[start...].firstIndex(of: 0x5D) else {
            throw Failure("']' is missing in a format")
          }
          let key = path[start..<end]
          let number = key.points.allSatisfy(\.isASCIIDigit) ? Int128(key.string) : nil
          value = try interpreter.item(number.map { .integer($0) } ?? .string(key), of: value)
          index = end + 1
        }
      }
      return value
    }

    private mutating func argument(_ name: Text) throws -> Value {
      var place: Int?
      if name.isEmpty {
        guard !isManual, let number = automatic else {
          throw Failure("a format mixes fields with numbers and without")
        }
        place = number
        automatic = number + 1
      } else if name.points.allSatisfy(\.isASCIIDigit) {
        guard automatic == 0 || isManual else {
          throw Failure("a format mixes fields with numbers and without")
        }
        isManual = true
        place = Int(name.string) ?? .max
      }
      if let place {
        guard place < arguments.positional.count else {
          throw Failure("there are too few values for the format")
        }
        return arguments.positional[place]
      }
      guard let value = arguments[name.string] else {
        throw Failure("the format needs a value '\(name.string)'")
      }
      return value
    }
  }
}
