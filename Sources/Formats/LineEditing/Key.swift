/// What a person did at the keyboard, as a terminal reports it.
public enum Key: Sendable, Equatable {
  /// Characters as they were typed; no control characters.
  case text(String)
  /// A text that was pasted whole; its line breaks are `\n`.
  case paste(String)
  /// Ctrl with a key: a small letter, a space, or one of `\ ] ^ _`.
  case control(Character)
  /// Alt with a key: a small letter where it is a letter.
  case alt(Character)
  case enter, altEnter, tab, backTab, backspace, altBackspace, escape
  case up, down, left, right, wordLeft, wordRight, home, end
  case delete, wordDelete, pageUp, pageDown
  /// The terminal's answer to the question where the cursor is; both count from 1.
  case cursorReport(row: Int, column: Int)
  /// A key that means nothing here.
  case other
}
