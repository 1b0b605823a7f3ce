import GGUF
import OrderedJSON
import Tensors

/// What `inspect` prints.
struct SurveyReport {
  let file: GGUFFile
  let survey: ModelSurvey
  /// Columns of the terminal; lines of metadata are cut to them.
  var width = 80

  init(_ file: GGUFFile) {
    self.file = file
    survey = ModelSurvey(file)
  }

  var text: String {
    [summary, metadata, roles, types, experts].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var summary: String {
    var table = TextTable([("", .left), ("", .left)])
    table.add("file", TerminalText.safe(file.path, width: 200))
    if file.shards.count > 1 { table.add("parts", "\(file.shards.count)") }
    table.add("format", "GGUF version \(file.shards.first?.version ?? 0)")
    table.add(
      "architecture", survey.architecture.map { TerminalText.safe($0, width: 60) } ?? "not given")
    if let name = survey.name { table.add("name", TerminalText.safe(name, width: 60)) }
    table.add("parameters", HumanUnits.count(survey.total.parameterCount))
    table.add("weights", HumanUnits.bytes(survey.total.byteCount))
    table.add("tensors", "\(survey.total.tensorCount)")
    return table.text
  }

  private var metadata: String {
    // Long keys are cut: padding all lines to the longest would make a huge page of a small file.
    let longestKey = 56
    let keys = file.metadata.keys.map { TerminalText.safe($0, width: longestKey) }
    let keyWidth = keys.map(TextTable.width).max() ?? 0
    var table = TextTable([("key", .left), ("value", .left)])
    file.metadata.forEach { key, value in
      table.add(
        TerminalText.safe(key, width: longestKey),
        MetadataText.line(value, width: max(20, width - keyWidth - 2)))
    }
    return table.rows.isEmpty ? "" : table.text
  }

  private var roles: String {
    var table = TextTable([
      ("role", .left), ("tensors", .right), ("parameters", .right), ("size", .right),
      ("share", .right),
    ])
    for (role, share) in survey.roles { table.add(cells(role.rawValue, share)) }
    return table.rows.isEmpty ? "" : table.text
  }

  private var types: String {
    var table = TextTable([
      ("type", .left), ("tensors", .right), ("parameters", .right), ("size", .right),
      ("share", .right), ("", .left),
    ])
    for (type, share) in survey.types {
      table.add(cells(type.name, share) + [type.isReadable ? "" : "not readable by this version"])
    }
    return table.rows.isEmpty ? "" : table.text
  }

  private func cells(_ name: String, _ share: ModelSurvey.Share) -> [String] {
    let percent = 100 * Double(share.byteCount) / Double(max(1, survey.total.byteCount))
    return [
      name, "\(share.tensorCount)", HumanUnits.count(share.parameterCount),
      HumanUnits.bytes(share.byteCount), HumanUnits.fixed(percent, 1) + " %",
    ]
  }

  private var experts: String {
    var table = TextTable([("", .left), ("", .left)])
    if let experts = survey.experts {
      let active = experts.activeExpertCount.map { ", \($0) used per token" } ?? ""
      table.add(
        "routed experts",
        "\(experts.expertCount) in each of \(experts.layerCount) layer\(experts.layerCount == 1 ? "" : "s")\(active)"
      )
      let smallest = HumanUnits.bytes(experts.smallestByteCount)
      let largest = HumanUnits.bytes(experts.largestByteCount)
      table.add(
        "bytes per expert",
        HumanUnits.bytes(experts.meanByteCount)
          + (smallest == largest ? "" : " (\(smallest) to \(largest), by layer)"))
    }
    if let bytes = survey.bytesPerToken {
      let routed = survey.expertBytesPerToken.map {
        ", of which routed experts \(HumanUnits.bytes($0))"
      }
      table.add("bytes per token", HumanUnits.bytes(bytes) + (routed ?? ""))
    }
    return table.rows.isEmpty ? "" : table.text
  }
}

extension SurveyReport {
  var json: JSONValue {
    var metadata: [(String, JSONValue)] = []
    file.metadata.forEach { metadata.append(($0, MetadataText.json($1))) }
    var members: [(String, JSONValue)] = []
    members.append(("path", .string(file.path)))
    members.append(("parts", .array(file.shards.map { JSONValue.string($0.path) })))
    members.append(("version", .integer(Int(file.shards.first?.version ?? 0))))
    members.append(("architecture", .optional(survey.architecture)))
    members.append(("name", .optional(survey.name)))
    members.append(("parameters", .integer(survey.total.parameterCount)))
    members.append(("bytes", .integer(survey.total.byteCount)))
    members.append(("tensors", .integer(survey.total.tensorCount)))
    members.append(("metadata", .object(metadata)))
    members.append(
      ("roles", .array(survey.roles.map { object("role", $0.role.rawValue, $0.share) })))
    members.append(("types", .array(survey.types.map { object("type", $0.type.name, $0.share) })))
    members.append(("experts", expertsObject))
    members.append(("bytesPerToken", .optional(survey.bytesPerToken)))
    members.append(("expertBytesPerToken", .optional(survey.expertBytesPerToken)))
    return .object(members)
  }

  private func object(_ key: String, _ name: String, _ share: ModelSurvey.Share) -> JSONValue {
    .object([
      (key, .string(name)), ("tensors", .integer(share.tensorCount)),
      ("parameters", .integer(share.parameterCount)), ("bytes", .integer(share.byteCount)),
    ])
  }

  private var expertsObject: JSONValue {
    guard let experts = survey.experts else { return .null }
    return .object([
      ("layers", .integer(experts.layerCount)), ("count", .integer(experts.expertCount)),
      ("active", .optional(experts.activeExpertCount)),
      ("bytesPerExpert", .integer(experts.meanByteCount)),
      ("bytesPerExpertSmallest", .integer(experts.smallestByteCount)),
      ("bytesPerExpertLargest", .integer(experts.largestByteCount)),
    ])
  }
}
