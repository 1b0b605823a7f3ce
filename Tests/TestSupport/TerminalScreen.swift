import TextColumns

/// A terminal as far as tests need one: characters, line ends, cursor moves, erasing, scrolling and
/// styles. An escape sequence that it does not know is kept in `unknown`.
public struct TerminalScreen {
  public struct Cell: Equatable {
    public var character: Character = " "
    /// The parameters of the styles that are on, such as `1` for bold.
    public var style: Set<String> = []
  }

  public var columns: Int
  public let height: Int
  public private(set) var cells: [[Cell]] = [[]]
  public private(set) var row = 0
  public private(set) var column = 0
  public private(set) var unknown: [String] = []
  private var style: Set<String> = []
  private var pending = ""
  private let meter: ColumnMeter
  /// Rows that have left the screen at the top are in `cells` too.
  private var top: Int { max(0, cells.count - height) }

  public init(columns: Int, height: Int = 1000, meter: ColumnMeter = .init()) {
    self.columns = columns
    self.height = height
    self.meter = meter
  }

  /// The rows without blanks at their ends, those at the end of the screen left out.
  public var rows: [String] {
    var rows = cells.map { row in
      var text = String(row.filter { $0.character != "\0" }.map(\.character))
      while text.last == " " { text.removeLast() }
      return text
    }
    while rows.last?.isEmpty == true { rows.removeLast() }
    return rows
  }

  /// The text of all cells with a style.
  public func text(styled parameter: String) -> String {
    String(
      cells.joined().filter { $0.style.contains(parameter) && $0.character != "\0" }
        .map(\.character))
  }

  public mutating func write(_ text: String) {
    var scalars = (pending + text).unicodeScalars[...]
    pending = ""
    while let scalar = scalars.first {
      if scalar == "\u{1B}" {
        guard let sequence = Self.sequence(scalars) else {
          pending = String(scalars)
          return
        }
        obey(String(sequence))
        scalars = scalars.dropFirst(sequence.count)
      } else if scalar == "\n" || scalar == "\r" {
        if scalar == "\n" { moveDown() }
        column = 0
        scalars.removeFirst()
      } else {
        let run = scalars.prefix { $0 != "\u{1B}" && $0 != "\n" && $0 != "\r" }
        for character in String(run) { put(character) }
        scalars = scalars.dropFirst(run.count)
      }
    }
  }

  private static func sequence(
    _ scalars: Substring.UnicodeScalarView
  ) -> Substring.UnicodeScalarView? {
    guard let second = scalars.dropFirst().first else { return nil }
    guard second == "[" else { return scalars.prefix(2) }
    guard let end = scalars.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0.value) })
    else { return nil }
    return scalars[...end]
  }

  private mutating func moveDown() {
    row += 1
    while cells.count <= row { cells.append([]) }
  }

  private mutating func put(_ character: Character) {
    if character == "\t" {
      column = min(columns - 1, (column / 8 + 1) * 8)
      return
    }
    let width = meter.columns(character)
    if width == 0 {
      if character.unicodeScalars.allSatisfy({ $0.properties.generalCategory == .control }) {
        unknown.append(String(character))
      } else if column > 0, cells[row].indices.contains(column - 1) {
        cells[row][column - 1].character = Character(
          String(cells[row][column - 1].character) + String(character))
      }
      return
    }
    if column + width > columns {
      moveDown()
      column = 0
    }
    while cells[row].count < column + width { cells[row].append(Cell()) }
    cells[row][column] = Cell(character: character, style: style)
    // The second half of a wide character.
    if width == 2 { cells[row][column + 1] = Cell(character: "\0", style: style) }
    column += width
  }

  private mutating func obey(_ sequence: String) {
    let body = sequence.dropFirst(2)
    let count = max(1, Int(body.dropLast()) ?? 1)
    switch sequence.last {
    case "A": row = max(top, row - count)
    case "B": row = min(cells.count - 1, row + count)
    case "C": column = min(columns - 1, column + count)
    case "K": cells[row].removeLast(max(0, cells[row].count - column))
    case "J":
      cells[row].removeLast(max(0, cells[row].count - column))
      for below in cells.indices.dropFirst(row + 1) { cells[below] = [] }
    case "m":
      for parameter in body.dropLast().split(separator: ";", omittingEmptySubsequences: false) {
        if parameter == "0" || parameter.isEmpty {
          style = []
        } else {
          style.insert("\(parameter)")
        }
      }
    default: unknown.append(sequence)
    }
  }
}
