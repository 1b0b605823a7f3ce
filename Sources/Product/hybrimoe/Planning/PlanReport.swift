import OrderedJSON
import Placement

/// A placement plan as a person reads it: a line, a table, sentences.
struct PlanReport {
  let plan: PlacementPlan
  /// The file of rules that the plan follows.
  var rules: RulesInFile?

  var json: JSONValue {
    guard let rules, case .object(let members) = plan.json else { return plan.json }
    return .object(members + [("rules", rules.json)])
  }

  var text: String {
    let explanation = PlacementExplanation(plan)
    var sections = [TerminalText.wrapped(explanation.summary), table.text]
    if let layers { sections.append(layers.text) }
    sections.append(explanation.sentences.map { TerminalText.wrapped($0) }.joined())
    if !explanation.reductions.isEmpty {
      sections.append(list("What does not fit:", explanation.reductions))
    }
    if !explanation.advice.isEmpty { sections.append(list("What would help:", explanation.advice)) }
    if let rules { sections.append(rules.text) }
    return sections.joined(separator: "\n")
  }

  private func list(_ title: String, _ items: [String]) -> String {
    title + "\n" + items.map { TerminalText.wrapped("- \($0)", indent: 2) }.joined()
  }

  private var table: TextTable {
    var table = TextTable([("", .left), ("GPU", .right), ("host", .right)])
    for kind in PlacementPlan.Part.Kind.allCases {
      let cells = [plan.gpuParts, plan.hostParts].map { parts in
        let bytes = plan.bytes(kind, in: parts)
        return bytes > 0 ? HumanUnits.bytes(bytes) : ""
      }
      if cells.contains(where: { !$0.isEmpty }) { table.add([kind.rawValue] + cells) }
    }
    table.add(
      "all memory", plan.gpuBytes > 0 ? HumanUnits.bytes(plan.gpuBytes) : "none",
      HumanUnits.bytes(plan.hostBytes))
    return table
  }

  /// Runs of layers that are placed alike; nil where all layers are.
  private var layers: TextTable? {
    var runs: [(first: Int, last: Int, layer: PlacementPlan.Layer)] = []
    for (index, layer) in plan.layers.enumerated() {
      if let last = runs.last, last.layer == layer {
        runs[runs.count - 1].last = index
      } else {
        runs.append((index, index, layer))
      }
    }
    guard runs.count > 1 else { return nil }
    var table = TextTable([
      ("layers", .left), ("attention", .left), ("other dense parts", .left),
      ("routed experts", .left),
    ])
    for run in runs {
      let range = run.first == run.last ? "\(run.first)" : "\(run.first)-\(run.last)"
      table.add(
        range, run.layer.attention.rawValue.uppercased(),
        run.layer.feedForward.rawValue.uppercased(), Self.experts(run.layer))
    }
    return table
  }

  private static func experts(_ layer: PlacementPlan.Layer) -> String {
    guard let experts = layer.experts else { return "none (dense layer)" }
    if layer.slots == layer.expertCount { return "all \(layer.expertCount) on the GPU" }
    if experts == .cpu { return "CPU" }
    return layer.slots == 0
      ? "CPU, no slots"
      : "\(layer.slots) \(layer.slots == 1 ? "slot" : "slots") for \(layer.expertCount) experts"
  }
}
