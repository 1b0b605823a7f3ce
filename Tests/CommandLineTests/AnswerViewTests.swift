import Foundation
import TestSupport
import Testing

@testable import hybrimoe

@Suite struct `Answers on a screen` {
  /// What pieces of an answer look like, in a file.
  private func shown(_ look: AnswerView.Look, _ pieces: [AnswerPiece]) throws -> String {
    let folder = try TemporaryFolder()
    let file = try FileHandle(forWritingTo: folder.write("screen", ""))
    let view = AnswerView(OutputStream(descriptor: file.fileDescriptor, name: "x"), look: look)
    for piece in pieces { view.show(piece) }
    try view.finish()
    return try folder.read("screen")
  }

  private let pieces: [AnswerPiece] = [
    .reasoning("Let me "), .reasoning("think\u{1B}[2J."), .answer("\n"), .answer("**Yes**, "),
    .answer("of course."),
  ]

  @Test func `in a file an answer is exact and thoughts are left out`() throws {
    #expect(try shown(.exact, pieces) == "\n**Yes**, of course.\n")
    #expect(try shown(.exact, []) == "\n")
  }

  @Test func `on a terminal thoughts are dim and the answer is laid out`() throws {
    let text = try shown(.laidOut(usesStyle: true), pieces)
    var screen = TerminalScreen(columns: 80)
    screen.write(text)
    #expect(screen.rows == ["Let me think[2J.", "", "Yes, of course."])
    #expect(screen.text(styled: "2") == "Let me think[2J.")
    #expect(screen.text(styled: "1") == "Yes")
    #expect(text.hasSuffix("\n"))
    #expect(try shown(.laidOut(usesStyle: true), []) == "")
    #expect(try shown(.laidOut(usesStyle: true), [.reasoning("only")]).contains("only"))
  }

  @Test func `thoughts may come again behind an answer`() throws {
    let text = try shown(
      .laidOut(usesStyle: false),
      [.reasoning("a"), .answer("b"), .reasoning("\n"), .reasoning("c")])
    #expect(text == "(thinking)\na\n\n(answer)\nb\n\n(thinking)\nc\n")
  }

  @Test func `without styles words tell thoughts from the answer`() throws {
    #expect(
      try shown(.laidOut(usesStyle: false), pieces)
        == "(thinking)\nLet me think[2J.\n\n(answer)\n**Yes**, of course.\n")
  }
}
