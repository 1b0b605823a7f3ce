/// What is wrong with a machine profile or a model shape; the message is for whoever wrote the file.
public enum ProfileError: Error, Equatable, CustomStringConvertible {
  /// The text is no JSON document.
  case notJSON(file: String, reason: String)
  case wrongType(place: String, expected: String)
  case missingKey(place: String, key: String, known: [String])
  case unknownKey(place: String, key: String, known: [String])
  case wrongUnit(place: String, found: String, known: [String])
  case wrongValue(place: String, expected: String, found: String)
  /// A number without the sentence that says where it comes from.
  case missingSource(place: String)

  public var description: String {
    switch self {
    case .notJSON(let file, let reason):
      "\(file) is no JSON document: \(reason)."
    case .wrongType(let place, let expected):
      "\(place) must be \(expected)."
    case .missingKey(let place, let key, let known):
      "\(place) lacks '\(key)'; it must have \(known.joined(separator: ", "))."
    case .unknownKey(let place, let key, let known):
      "\(place) has '\(key)', which has no meaning there; known are \(known.joined(separator: ", "))."
    case .wrongUnit(let place, let found, let known):
      "\(place) has the unit '\(found)'; use \(known.joined(separator: ", "))."
    case .wrongValue(let place, let expected, let found):
      "\(place) is \(found), but must be \(expected)."
    case .missingSource(let place):
      "\(place) has an empty source; say where the number comes from, or that it is assumed."
    }
  }
}
