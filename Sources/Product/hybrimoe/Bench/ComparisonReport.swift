import ExpertSimulation
import Experts
import OrderedJSON

/// What `bench --compare` prints.
struct ComparisonReport {
  let model: String
  let notes: [String]
  /// What computed: the device's name and, of an emulated one, that its times are modelled.
  let device: String
  let isModelled: Bool
  /// Where experts were taken from.
  let routing: String
  let repetitions: Int
  let tests: [BenchmarkTest]
  let rows: [SystemComparison.Row]
  /// Whether weights are made, of which parts may turn to zeros while it runs: then results mean
  /// nothing.
  var isMade = false
  /// Where layers were left out: what the figures say about the whole model.
  var whole: WholeModel?

  private func speed(_ row: Int, _ test: Int) -> Double {
    rows[row].cells[test].tokensPerSecond(tests[test])
  }

  /// How much faster than the first system.
  private func ratio(_ row: Int, _ test: Int) -> Double {
    speed(row, test) / max(speed(0, test), 1e-12)
  }

  private func phase(_ test: Int) -> Phase { tests[test].isPrompt ? .prefill : .decode }

  private func figures(_ row: Int, _ test: Int) -> HybridFigures.PhaseFigures {
    rows[row].cells[test].figures[phase(test)]
  }

  var text: String {
    var table = TextTable(
      [("system", .left)]
        + tests.flatMap { test -> [(String, TextTable.Alignment)] in
          [("\(test.name) tokens/s", .right), ("ratio", .right), ("hits", .right)]
        })
    for row in rows.indices {
      table.add(
        [rows[row].system.scheduler.rawValue]
          + tests.indices.flatMap { test in
            [
              HumanUnits.fixed(speed(row, test), 2), HumanUnits.fixed(ratio(row, test), 2),
              HumanUnits.fixed(100 * figures(row, test).hitRate, 0) + " %",
            ]
          })
    }
    let timed =
      isModelled
      ? "times are modelled: they say what such a machine would take, not what this one took"
      : "the median of \(HumanUnits.counted(repetitions, "repetition")), all systems taking turns"
    return "\(TerminalText.safe(model, width: 60)), \(routing)\n"
      + notes.map { $0 + "\n" }.joined() + "\(device), \(Version.short)\n\(timed)\n\n" + table.text
      + "hits: residents that no copy ahead brought, whoever computed them\n" + estimates
      + (hasEqualChecksums
        ? "" : "\nThe systems' results differ: that is an error of this program.\n")
  }

  private var estimates: String {
    guard let whole else { return "" }
    let lines = rows.indices.map { row in
      "  \(rows[row].system.scheduler.rawValue): "
        + tests.indices.map { test in
          let speed = whole.estimate(speed(row, test), isPrompt: tests[test].isPrompt)
          return "\(tests[test].name) \(HumanUnits.fixed(speed, 2))"
        }.joined(separator: ", ") + "\n"
    }
    return
      "\nestimate, not measured, in tokens/s for all \(whole.layerCount) layers, by bytes and operations:\n"
      + lines.joined()
  }

  /// Whether every system computed the same bits, as it must with weights that stay as they are.
  var hasEqualChecksums: Bool {
    isMade
      || tests.indices.allSatisfy { test in Set(rows.map { $0.cells[test].checksum }).count <= 1 }
  }

  var csv: String {
    var text = "system,test,tokens,median_tokens_per_second,ratio_to_first,hit_rate,prefetched,"
    text += "on_cpu,link_bytes,times_are_modelled,checksum,"
    text += "resident_on_gpu,prefetched_on_gpu,resident_on_cpu,missing_on_cpu,copied_on_demand,"
    text += "late\n"
    for row in rows.indices {
      for test in tests.indices {
        let figures = figures(row, test)
        text += "\(rows[row].system.scheduler.rawValue),\(tests[test].name),"
        text += "\(tests[test].tokenCount),\(speed(row, test)),\(ratio(row, test)),"
        text += "\(figures.hitRate),\(figures.prefetched),\(figures.onCPU),"
        text += "\(rows[row].cells[test].figures.linkByteCount),\(isModelled),"
        text += BenchmarkReport.hexadecimal(rows[row].cells[test].checksum)
        let computed = figures.computed
        text += ",\(computed.residentOnGPU),\(computed.prefetchedOnGPU),"
        text += "\(computed.residentOnCPU),\(computed.missingOnCPU),"
        text += "\(computed.copiedOnDemand),\(computed.late)\n"
      }
    }
    return text
  }

  var json: JSONValue {
    .object([
      ("model", .string(model)), ("notes", .array(notes.map(JSONValue.string))),
      ("device", .string(device)), ("timesAreModelled", .bool(isModelled)),
      ("routing", .string(routing)), ("processor", .string(Processor.name)),
      ("version", .string(Version.short)), ("repetitions", .integer(repetitions)),
      ("systems", .array(rows.indices.map { systemJSON($0) })),
    ])
  }

  private func systemJSON(_ row: Int) -> JSONValue {
    let results = tests.indices.map { test in
      JSONValue.object([
        ("test", .string(tests[test].name)), ("tokens", .integer(tests[test].tokenCount)),
        ("tokensPerSecond", .double(speed(row, test))), ("ratioToFirst", .double(ratio(row, test))),
        (
          "estimatedTokensPerSecondOfWhole",
          whole.map { .double($0.estimate(speed(row, test), isPrompt: tests[test].isPrompt)) }
            ?? .null
        ),
        ("seconds", .array(rows[row].cells[test].seconds.map(JSONValue.double))),
        ("checksum", .string(BenchmarkReport.hexadecimal(rows[row].cells[test].checksum))),
        ("figures", rows[row].cells[test].figures.json),
      ])
    }
    let description: [(String, JSONValue)] = rows[row].system.json
    return .object(description + [("tests", .array(results))])
  }
}
