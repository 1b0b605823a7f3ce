import ExpertScheduling
import ExpertSimulation
import Experts

/// The paper's evaluation in words and tables.
struct PaperText {
  let results: PaperResults

  init(_ results: PaperResults) { self.results = results }

  var text: String {
    let isPapersMachine = results.machine.hasPrefix("paper")
    let published =
      isPapersMachine
      ? "" : "The published figures are those of the paper's machine, not of this one.\n"
    return TerminalText.wrapped(
      "The evaluation of HybriMoE (arXiv 2504.05897), simulated on \(results.machine)\n" + published
    )
      + means + (isPapersMachine ? "\n" + PaperAims(results.summary).text : "") + "\n"
      + Self.ablation(results.ablation) + "\n" + hitRates + "\n" + cells
  }

  private var means: String {
    var table = TextTable([
      ("", .left), ("prefill", .right), ("published", .right), ("x bound", .right),
      ("decode", .right), ("published", .right), ("x bound", .right),
    ])
    for name in names {
      var cells = [name]
      for phase in Phase.allCases {
        let mean = results.summary.means.first {
          $0.scheduler.rawValue == name && $0.phase == phase
        }
        cells += [
          fixed(mean?.speedUp, 2), fixed(mean?.published, 2), fixed(mean?.timesBound, 2),
        ]
      }
      table.add(cells)
    }
    return "speed-up over ktransformers and time over the bound, means of all cells\n" + table.text
      + TerminalText.wrapped(Self.aboutLlamacpp)
  }

  private static let aboutLlamacpp =
    "llamacpp keeps whole layers where they are and copies nothing. Today's llama.cpp copies weights "
    + "to the GPU for batches of 32 tokens or more; its prefill here is that of a run without that "
    + "offload."

  private var names: [String] {
    var names: [String] = []
    for mean in results.summary.means where !names.contains(mean.scheduler.rawValue) {
      names.append(mean.scheduler.rawValue)
    }
    return names
  }

  static func ablation(_ rows: [PaperEvaluation.AblationRow]) -> String {
    var table = TextTable([
      ("ablation, Qwen2-57B at 25 %", .left), ("prefill ms", .right), ("published", .right),
      ("decode ms", .right), ("published", .right),
    ])
    for row in rows {
      table.add(
        row.part.rawValue, HumanUnits.fixed(row.prefillMilliseconds, 0),
        row.published.prefillMilliseconds.map { HumanUnits.fixed($0, 0) } ?? "",
        HumanUnits.fixed(row.decodeMilliseconds, 0),
        row.published.decodeMilliseconds.map { HumanUnits.fixed($0, 0) } ?? "")
    }
    return table.text
  }

  private var hitRates: String {
    var table = TextTable([
      ("hit rate at 25 %, decode", .left), ("admission", .left), ("MRS %", .right),
      ("published", .right), ("LRU %", .right), ("published", .right),
    ])
    for row in results.hitRates {
      table.add(
        row.model, row.admission.rawValue, HumanUnits.fixed(row.mrsPercent, 1),
        HumanUnits.fixed(row.published.mrsPercent, 1), HumanUnits.fixed(row.lruPercent, 1),
        HumanUnits.fixed(row.published.lruPercent, 1))
    }
    let best = PaperEvaluation.bestAdmission(results.hitRates).map {
      "LRU's rates were calibrated; of the admissions '\($0.rawValue)' comes closest to MRS's.\n"
    }
    return table.text + (best ?? "")
  }

  /// The schedulers whose times are printed; --json has all of them.
  private static let shown: [SchedulerName] = [
    .hybrimoe, .hybrimoePaper, .ktransformers, .llamacpp,
  ]

  private var cells: String {
    var text = "milliseconds of a prefill or a decode step; --json has all schedulers\n"
    var start = results.rows.startIndex
    while start < results.rows.endIndex {
      let model = results.rows[start].model
      let rows = results.rows[start...].prefix { $0.model == model }
      text += "\n\(model)\n" + Self.table(rows)
      start = rows.endIndex
    }
    return text
  }

  private static func table(_ rows: ArraySlice<PaperEvaluation.Row>) -> String {
    var table = TextTable(
      [("cache", .right), ("phase", .left), ("prompt", .right)]
        + shown.map { ($0.rawValue, .right) } + [("bound", .right)])
    var start = rows.startIndex
    while start < rows.endIndex {
      let row = rows[start]
      let cell = rows[start...].prefix {
        $0.cacheRatio == row.cacheRatio && $0.phase == row.phase
          && $0.promptTokens == row.promptTokens
      }
      let times = shown.map { name in
        cell.first { $0.scheduler == name }.map { HumanUnits.fixed($0.milliseconds, 1) } ?? ""
      }
      table.add(
        [
          "\(HumanUnits.fixed(row.cacheRatio * 100, 0)) %", row.phase.rawValue,
          "\(row.promptTokens)",
        ] + times + [HumanUnits.fixed(row.boundMilliseconds, 1)])
      start = cell.endIndex
    }
    return table.text
  }

  private func fixed(_ value: Double?, _ places: Int) -> String {
    value.map { HumanUnits.fixed($0, places) } ?? ""
  }

  /// A fit in words.
  static func text(_ fit: PaperFit) -> String {
    let types = fit.profile.host.cpu.keys.sorted().map { type in
      "  host, cpu, \(type), multiply: "
        + HumanUnits.fixed(
          (fit.profile.host.cpu[type]?.parameterTokensPerMicrosecond ?? 0) / 1000, 1)
        + " GMAC/s\n"
    }
    return "Fitted to the ablation table (\(fit.evaluations) simulations of it):\n"
      + types.joined()
      + "  gpu, expert: \(HumanUnits.fixed(fit.profile.gpu.expertMicroseconds, 1)) us\n"
      + "  gpu, layer: \(HumanUnits.fixed(fit.profile.gpu.layerMicroseconds, 0)) us\n"
      + "  error: \(HumanUnits.fixed(fit.error * 100, 1)) % (root of the mean square)\n\n"
      + ablation(fit.rows)
  }
}
