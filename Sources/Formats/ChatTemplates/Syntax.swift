/// An expression of a template and where it stands.
struct Expression: Sendable {
  indirect enum Kind: Sendable {
    case constant(Constant)
    case name(String)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case and(Expression, Expression)
    case or(Expression, Expression)
    case not(Expression)
    case unary(String, Expression)
    case binary(String, Expression, Expression)
    case compare(Expression, [(sign: String, right: Expression)])
    /// `a ~ b ~ c`
    case concat([Expression])
    case conditional(test: Expression, then: Expression, otherwise: Expression?)
    /// `a.name`
    case attribute(Expression, String)
    /// `a[b]`
    case item(Expression, Expression)
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, CallArguments)
    /// Of a filter block and of `set` with a block the input is nil: what the block wrote.
    case filter(Expression?, String, CallArguments)
    case test(Expression, String, CallArguments)
  }

  let kind: Kind
  let position: Position
  /// How many expressions are nested here at most; bounds every recursion over them.
  let depth: Int

  init(_ kind: Kind, _ position: Position, depth: Int) {
    self.kind = kind
    self.position = position
    self.depth = depth
  }
}

enum Constant: Sendable {
  case none
  case bool(Bool)
  case integer(Int128)
  case float(Double)
  case string([UInt32])
}

/// What stands between the brackets of a call.
struct CallArguments: Sendable {
  var positional: [Expression] = []
  var keywords: [(name: String, value: Expression)] = []
  /// `*values`
  var spread: Expression?
  /// `**values`
  var keywordSpread: Expression?

  var all: [Expression] {
    positional + keywords.map(\.value) + [spread, keywordSpread].compactMap(\.self)
  }
}

/// What a value can be assigned to.
indirect enum Target: Sendable {
  case name(String)
  case tuple([Target])
  /// `namespace.attribute`
  case attribute(String, String)
}

/// A statement of a template.
struct Statement: Sendable {
  enum Kind: Sendable {
    case data([UInt32])
    case output(Expression)
    case `if`([(test: Expression, body: [Statement])], otherwise: [Statement])
    case `for`(ForLoop)
    case set(Target, Expression)
    /// The filter has the block's text as its innermost input.
    case setBlock(Target, filter: Expression?, Block)
    case macro(MacroDefinition)
    case call(MacroDefinition, Expression)
    case filter(Expression, Block)
    case with([(target: Target, value: Expression)], Block)
    /// Hugging Face's mark of what the assistant wrote, which has a scope like a call block.
    case generation(MacroDefinition)
    case block(Block)
    case `break`, `continue`
    /// What needs other templates, which a model file has not.
    case unavailable(String)
  }

  let kind: Kind
  let position: Position
}

/// Statements with names of their own.
final class Block: Sendable {
  let body: [Statement]
  let frame: Frame

  init(_ body: [Statement], _ frame: Frame) {
    self.body = body
    self.frame = frame
  }
}

final class ForLoop: Sendable {
  let target: Target
  let source: Expression
  /// The condition behind `if`, evaluated in a scope that has the target only.
  let filter: Expression?
  let filterFrame: Frame
  let isRecursive: Bool
  /// Whether the body asks for `loop`.
  let usesLoop: Bool
  let body: Block
  let otherwise: Block?

  init(
    target: Target, source: Expression, filter: Expression?, isRecursive: Bool, body: [Statement],
    otherwise: [Statement]?
  ) {
    self.target = target
    self.source = source
    self.filter = filter
    self.isRecursive = isRecursive
    usesLoop = isRecursive || UndeclaredNames.find(["loop"], in: body).contains("loop")
    let parameters = target.names
    self.body = Block(
      body, Frame(parameters: (usesLoop ? ["loop"] : []) + parameters, body: body))
    self.otherwise = otherwise.map { Block($0, Frame(parameters: [], body: $0)) }
    filterFrame = Frame(parameters: parameters, loads: filter.map { [$0] } ?? [], body: [])
  }
}

/// A macro, or the body of a call block, which has no name.
final class MacroDefinition: Sendable {
  let name: String?
  let parameters: [String]
  /// Of the last parameters.
  let defaults: [Expression]
  let body: Block
  let takesCaller, takesKeywords, takesVariadic: Bool

  init(name: String?, parameters: [String], defaults: [Expression], body: [Statement]) {
    self.name = name
    self.parameters = parameters
    self.defaults = defaults
    let special = UndeclaredNames.find(["caller", "kwargs", "varargs"], in: body)
    takesCaller = special.contains("caller") && !parameters.contains("caller")
    takesKeywords = special.contains("kwargs") && !parameters.contains("kwargs")
    takesVariadic = special.contains("varargs") && !parameters.contains("varargs")
    let extra =
      (takesCaller ? ["caller"] : []) + (takesKeywords ? ["kwargs"] : [])
      + (takesVariadic ? ["varargs"] : [])
    self.body = Block(
      body, Frame(parameters: parameters + extra, loads: defaults, body: body))
  }
}

extension Target {
  /// The names it gives values to.
  var names: [String] {
    switch self {
    case .name(let name): [name]
    case .tuple(let targets): targets.flatMap(\.names)
    case .attribute: []
    }
  }

  /// The namespaces it changes.
  var namespaces: [String] {
    switch self {
    case .name: []
    case .tuple(let targets): targets.flatMap(\.namespaces)
    case .attribute(let name, _): [name]
    }
  }
}
