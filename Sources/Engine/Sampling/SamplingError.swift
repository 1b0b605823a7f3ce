/// Why a token could not be chosen or a setting was refused.
public enum SamplingError: Error, Equatable, Sendable {
  /// A setting lies outside what its rule allows; `value` is the setting as it was given.
  case settingOutOfRange(name: String, value: String, expected: String)
  /// The order of the steps names something that is no step.
  case unknownStep(String)
  /// The order of the steps has one of them twice.
  case stepNamedTwice(SamplingStep)
  /// A bias is for a token that the model does not have.
  case biasOutsideVocabulary(tokenID: Int, vocabularySize: Int)
  /// A logit is not a finite number.
  case logitNotFinite(tokenID: Int, value: String)
  /// There was no logit to choose from.
  case noLogits
  /// Biases of −∞ leave no token at all.
  case allForbidden
  /// A stop string has no characters, so that it would match everywhere.
  case emptyStopString(position: Int)
}

extension SamplingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .settingOutOfRange(let name, let value, let expected):
      "\(name) is \(value), but must be \(expected)."
    case .unknownStep(let name):
      "The order of the samplers names '\(name)', but the samplers are "
        + SamplingStep.allCases.map(\.rawValue).joined(separator: ", ") + "."
    case .stepNamedTwice(let step):
      "The order of the samplers names \(step.rawValue) twice; leave one of them out."
    case .biasOutsideVocabulary(let tokenID, let vocabularySize):
      "logit-bias is given for token \(tokenID), but this model's tokens are 0 to "
        + "\(vocabularySize - 1). Numbers of tokens differ from model to model: ask for them with "
        + "'hybrimoe tokenize'."
    case .logitNotFinite(let tokenID, let value):
      "The model's score for token \(tokenID) is \(value), not a finite number, so no token can be "
        + "chosen. The file is damaged or its weights overflow: check it against its published "
        + "checksum, or try another quantisation of the model."
    case .noLogits:
      "The model returned no scores, so no token can be chosen."
    case .allForbidden:
      "logit-bias forbids every token of the model, so none can be chosen; leave one allowed."
    case .emptyStopString(let position):
      "Stop string \(position + 1) is empty and would end every answer at once; "
        + "give it at least one character or leave it out."
    }
  }
}
