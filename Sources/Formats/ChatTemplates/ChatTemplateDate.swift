/// A local date and time, which `strftime_now` writes.
///
/// It is given by the caller: rendering itself reads no clock, so that it can be repeated.
public struct ChatTemplateDate: Sendable, Equatable {
  public var year: Int
  /// 1 … 12
  public var month: Int
  /// 1 … 31
  public var day: Int
  /// 0 … 23
  public var hour: Int
  public var minute: Int
  public var second: Int

  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// The day of the year, from 1.
  private var dayOfYear: Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return lengths.prefix(max(0, month - 1)).reduce(day, +)
  }

  /// The day of the week, Sunday being 0 (Sakamoto's rule).
  private var weekday: Int {
    let shifts = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
    let year = month < 3 ? year - 1 : year
    let sum = year + year / 4 - year / 100 + year / 400
    return (sum + shifts[(month - 1) % 12] + day) % 7
  }

  /// What C's `strftime` writes in the C locale.
  func formatted(_ format: Text) throws -> Text {
    var result: [UInt32] = []
    var index = 0
    let units = format.units
    while index < units.count {
      guard units[index].point == "%", index + 1 < units.count else {
        result.append(units[index])
        index += 1
        continue
      }
      index += 1
      // glibc: "-" leaves leading zeros out.
      let isBare = units[index].point == "-" && index + 1 < units.count
      if isBare { index += 1 }
      let letter = units[index].point
      index += 1
      guard let part = part(letter, isBare) else {
        let name = Text(units: [letter]).string
        throw Failure("strftime_now does not know '%\(name)'")
      }
      result += Text(part).units
    }
    return Text(units: result)
  }

  private func part(_ letter: UInt32, _ isBare: Bool) -> String? {
    func padded(_ number: Int, _ width: Int = 2, _ fill: Character = "0") -> String {
      let digits = String(number)
      return isBare
        ? digits : String(repeating: fill, count: max(0, width - digits.count)) + digits
    }
    let hour12 = hour % 12 == 0 ? 12 : hour % 12
    let month = Self.months[(max(1, self.month) - 1) % 12]
    let name = Self.weekdays[weekday]
    switch letter {
    case "Y": return String(year)
    case "y": return padded(year % 100)
    case "C": return padded(year / 100)
    case "m": return padded(self.month)
    case "B": return month
    case "b", "h": return String(month.prefix(3))
    case "d": return padded(day)
    case "e": return padded(day, 2, " ")
    case "j": return padded(dayOfYear, 3)
    case "A": return name
    case "a": return String(name.prefix(3))
    case "w": return String(weekday)
    case "u": return String(weekday == 0 ? 7 : weekday)
    case "H": return padded(hour)
    case "I": return padded(hour12)
    case "M": return padded(minute)
    case "S": return padded(second)
    case "p": return hour < 12 ? "AM" : "PM"
    default: return compound(letter)
    }
  }

  private func compound(_ letter: UInt32) -> String? {
    let formats: [UInt32: String] = [
      0x46: "%Y-%m-%d", 0x54: "%H:%M:%S", 0x44: "%m/%d/%y", 0x52: "%H:%M", 0x78: "%m/%d/%y",
      0x58: "%H:%M:%S", 0x63: "%a %b %e %H:%M:%S %Y", 0x72: "%I:%M:%S %p",
    ]
    switch letter {
    case "n": return "\n"
    case "t": return "\t"
    case "%": return "%"
    case "Z", "z": return ""
    default: return formats[letter].flatMap { try? formatted(Text($0)).string }
    }
  }
}
