import ChatTemplates
import OrderedJSON

/// What a template writes for some variables, given as JSON.
func render(
  _ template: String, _ variables: String = "{}", limits: ChatTemplateLimits = ChatTemplateLimits()
) throws -> String {
  try pieces(template, variables, limits: limits).map(\.text).joined()
}

/// The same in pieces.
func pieces(
  _ template: String, _ variables: String = "{}", limits: ChatTemplateLimits = ChatTemplateLimits()
) throws -> [ChatTemplatePiece] {
  let members = try JSONNode(JSONValue(parsing: variables)).members()
  return try ChatTemplate(template).render(
    members.map { ($0.key, .input($0.node.value)) },
    now: ChatTemplateDate(
      year: 2025, month: 8, day: 5, hour: 14, minute: 30, second: 9), limits: limits)
}

/// The error of a template that must fail.
func failure(
  _ template: String, _ variables: String = "{}", limits: ChatTemplateLimits = ChatTemplateLimits()
) throws -> ChatTemplateError? {
  do {
    _ = try render(template, variables, limits: limits)
    return nil
  } catch let error as ChatTemplateError {
    return error
  }
}
