import TextColumns

/// Writes styled text on lines that fit a terminal, broken between words.
///
/// A word is written when it is whole, so that nothing that was written is ever written again. What
/// is wider than a line is left to the terminal to break, so that a long address can be copied.
struct LineWriter: Sendable {
  var columns: Int
  let meter: ColumnMeter
  let usesStyle: Bool
  private var output = ""
  /// The style that is on in the output.
  private var style: TextStyle = []
  private var column = 0
  /// What the rows of the present line begin with, but the first.
  private var lead: [StyledSpan] = []
  private var hasText = false
  private var word: [StyledSpan] = []
  private var blanks = 0
  private var blankStyle: TextStyle = []
  /// Line breaks that come before the next text; at the end of all text they are left out.
  private var breaks = 0
  private var hasLines = false

  init(columns: Int, meter: ColumnMeter, usesStyle: Bool) {
    self.columns = columns
    self.meter = meter
    self.usesStyle = usesStyle
  }

  /// What there is to write, the terminal's style off at its end.
  mutating func take() -> String {
    setStyle([])
    defer { output = "" }
    return output
  }

  /// Whether anything was written at all.
  var isEmpty: Bool { !hasLines }

  /// Begins a line; `first` stands before its text, `lead` before its further rows.
  mutating func begin(first: [StyledSpan] = [], lead: [StyledSpan] = []) {
    setStyle([])
    output += String(repeating: "\n", count: breaks)
    breaks = 0
    hasLines = true
    hasText = false
    blanks = 0
    column = 0
    self.lead = lead
    for span in first { write(span) }
  }

  /// Ends a line, or leaves an empty one; those before the first text are dropped.
  mutating func breakLine() {
    endWord()
    if hasLines { breaks += 1 }
  }

  /// Adds text to the line.
  mutating func put(_ span: StyledSpan) {
    for character in span.text {
      if character == " " || character == "\t" {
        endWord()
        blanks += character == "\t" ? 4 : 1
        blankStyle = span.style
        continue
      }
      // Lines of Chinese or Japanese may break between any two characters but before some.
      if let last = word.last?.text.last, Self.mayBreak(between: last, character) { endWord() }
      if let index = word.indices.last, word[index].style == span.style {
        word[index].text.append(character)
      } else {
        word.append(StyledSpan(String(character), span.style))
      }
    }
  }

  /// Adds text that is not broken, such as code.
  mutating func putUnbroken(_ span: StyledSpan) { write(span) }

  /// The word is whole.
  mutating func endWord() {
    guard !word.isEmpty else { return }
    let width = word.reduce(0) { $0 + meter.columns($1.text) }
    if hasText, column + blanks + width > columns {
      setStyle([])
      output += "\n"
      column = 0
      for span in lead { write(span) }
    } else if blanks > 0 {
      write(StyledSpan(String(repeating: " ", count: blanks), blankStyle))
    }
    blanks = 0
    for span in word { write(span) }
    hasText = true
    word = []
  }

  private mutating func write(_ span: StyledSpan) {
    guard !span.text.isEmpty else { return }
    setStyle(span.style)
    output += span.text
    column += meter.columns(span.text)
  }

  private mutating func setStyle(_ new: TextStyle) {
    guard usesStyle, new != style else { return }
    if !style.isEmpty { output += TextStyle.off }
    output += new.sequence
    style = new
  }

  private static func mayBreak(between last: Character, _ next: Character) -> Bool {
    (isIdeograph(last) || isIdeograph(next)) && !"、。，．：；！？）］｝」』】〉》”’…,.:;!?)]}".contains(next)
      && !"（［｛「『【〈《“‘([{".contains(last)
  }

  private static func isIdeograph(_ character: Character) -> Bool {
    guard let value = character.unicodeScalars.first?.value else { return false }
    return (0x2E80...0x9FFF).contains(value) || (0xF900...0xFAFF).contains(value)
      || (0xFF00...0xFF60).contains(value) || (0x20000...0x3FFFD).contains(value)
  }
}
