/// A simple check that text is well-formed XML without processing instructions or CDATA.
struct XMLChecker {
  private(set) var problem: String?
  private(set) var elements: [String: Int] = [:]
  /// The text between `<title>` and `</title>`, still escaped.
  private(set) var titles: [String] = []

  init(_ text: String) {
    var open: [String] = []
    var isTitle = false
    let parts = text.split(separator: "<", omittingEmptySubsequences: false)
    for (place, part) in parts.enumerated() {
      guard place > 0 else {
        if !part.isEmpty { problem = "text before the first tag" }
        continue
      }
      guard let close = part.firstIndex(of: ">") else {
        problem = "a tag does not end: \(part.prefix(40))"
        return
      }
      let content = part[part.index(after: close)...]
      if isTitle { isTitle = false }
      var tag = part[..<close]
      if tag.hasPrefix("/") {
        guard open.popLast() == String(tag.dropFirst()) else {
          problem = "</\(tag.dropFirst())> closes nothing"
          return
        }
      } else {
        let isEmpty = tag.hasSuffix("/")
        if isEmpty { tag = tag.dropLast() }
        let name = String(tag.prefix { $0 != " " && $0 != "\n" })
        elements[name, default: 0] += 1
        if !isEmpty { open.append(name) }
        if name == "title" { titles.append(String(content)) }
        checkAttributes(tag.dropFirst(name.count))
      }
      checkText(content)
      if problem != nil { return }
    }
    if let last = open.last { problem = "<\(last)> is not closed" }
  }

  private mutating func checkAttributes(_ text: Substring) {
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    guard parts.count.isMultiple(of: 2) == false else {
      problem = "a value does not end: \(text)"
      return
    }
    var names: Set<String> = []
    for (place, part) in parts.enumerated() {
      if place.isMultiple(of: 2) {
        let name = part.filter { $0 != " " && $0 != "\n" }
        if place == parts.count - 1 {
          if !name.isEmpty { problem = "an attribute has no value: \(text)" }
        } else if !name.hasSuffix("=") || !names.insert(String(name)).inserted {
          problem = "no attribute, or one twice: \(text)"
        }
      } else {
        checkText(part)
      }
    }
  }

  private mutating func checkText(_ text: Substring) {
    for part in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst() {
      let entity = part.prefix { $0 != ";" }
      if !["amp", "lt", "gt", "quot", "#39"].contains(entity) { problem = "&\(entity)" }
    }
    for wrong in ["nan", "inf", "NaN"] where text.split(separator: " ").contains(Substring(wrong)) {
      problem = "\(wrong) in \(text)"
    }
  }
}
