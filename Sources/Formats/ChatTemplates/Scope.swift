/// The variables of a scope while it is rendered.
final class Scope {
  let parent: Scope?
  private let frame: Frame
  /// In the order of the frame's names; nil for what has no value yet.
  private var values: [Value?]

  /// Begins a scope: names that it sets have the values of the scopes around, or of the template's
  /// variables, until it sets them.
  init(_ frame: Frame, parent: Scope?, variables: [String: Value]) {
    self.frame = frame
    self.parent = parent
    values = Array(repeating: nil, count: frame.names.count)
    for (index, name) in frame.names.enumerated() {
      switch frame.origins[index] {
      case .parameter, .loaded: break
      case .inherited: values[index] = parent?.value(of: name, variables) ?? variables[name]
      case .fresh:
        if let parent, parent.knows(name) { values[index] = parent.value(of: name, variables) }
      }
    }
  }

  /// Whether this scope, or one around it, mentions a name.
  private func knows(_ name: String) -> Bool {
    frame.index(of: name) != nil || parent?.knows(name) ?? false
  }

  /// The value of a name, from the innermost scope that owns it; nil where it has none.
  func value(of name: String, _ variables: [String: Value]) -> Value? {
    var scope: Scope? = self
    while let current = scope {
      if let index = current.frame.index(of: name), current.frame.origins[index] != .loaded {
        return current.values[index]
      }
      scope = current.parent
    }
    return variables[name]
  }

  /// Sets a name that the frame says is set here.
  func set(_ name: String, to value: Value) {
    if let index = frame.index(of: name) { values[index] = value }
  }

  func has(_ name: String) -> Bool { frame.index(of: name).map { values[$0] != nil } ?? false }

  func clear() { values = values.map { _ in nil } }
}
