/// The next piece of what a model writes.
enum AnswerPiece: Equatable {
  /// What it thinks before it answers; not part of the conversation.
  case reasoning(String)
  case answer(String)
}

/// What becomes of an answer while it is being written.
protocol AnswerReceiver: AnyObject {
  func take(_ piece: AnswerPiece)
  /// Asked often, also while nothing comes; true ends the answer.
  func shouldStop() -> Bool
}
