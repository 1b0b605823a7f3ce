/// A word of a template's language.
struct Token: Equatable {
  enum Kind: Equatable {
    case data([UInt32])
    case blockBegin, blockEnd, variableBegin, variableEnd
    case name(String)
    case string([UInt32])
    case integer(Int128)
    case float(Double)
    case sign(String)
    case end
  }

  var kind: Kind
  var position: Position

  /// How messages name it.
  var description: String {
    switch kind {
    case .data: "text outside of tags"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let name): "'\(name)'"
    case .string: "a string"
    case .integer, .float: "a number"
    case .sign(let sign): "'\(sign)'"
    case .end: "the end of the template"
    }
  }
}
