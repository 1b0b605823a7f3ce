/// Numbers as people read them.
enum HumanUnits {
  /// A byte count with three digits and a decimal unit: `5.73 MB`.
  static func bytes(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(digits(value)) \(units[unit])"
  }

  /// A count of things: `1 layer`, `2 layers`.
  static func counted(_ count: Int, _ thing: String) -> String {
    "\(count) \(thing)\(count == 1 ? "" : "s")"
  }

  /// A count with a unit of thousands, millions or billions: `15.7 B`.
  static func count(_ count: Int) -> String {
    let units = ["", " k", " M", " B", " T"]
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count)" : digits(value) + units[unit]
  }

  /// A number rounded to `places` decimal places.
  static func fixed(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    // Beyond this the scaled number is no Int; NaN is not below it either.
    guard abs(value) * scale < 9e18 else { return "\(value)" }
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + String(scaled) }
    let fraction = String(scaled % Int(scale))
    let zeros = String(repeating: "0", count: places - fraction.count)
    return "\(sign)\(scaled / Int(scale)).\(zeros)\(fraction)"
  }

  /// Three significant digits: `5.73`, `57.3`, `573`.
  private static func digits(_ value: Double) -> String {
    fixed(value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)
  }
}
