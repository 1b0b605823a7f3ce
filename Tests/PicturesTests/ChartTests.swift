import Experts
import Pictures
import TestSupport
import Testing

@Suite struct HitRateChartTests {
  private func line(_ name: String, _ rates: [Double]) -> HitRateChart.Line {
    HitRateChart.Line(
      name,
      points: zip([0.1, 0.25, 0.5, 0.75], rates).map { .init(capacity: $0, hitRate: $1) })
  }

  @Test func `a chart is well-formed, deterministic and names every line`() {
    let chart = HitRateChart(
      title: "a <b>", subtitle: "decode",
      lines: [line("lru", [0.1, 0.2, 0.4, 0.6]), line("m&s", [0.15, 0.25, 0.45, 0.61])],
      bound: line("min", [0.3, 0.5, 0.7, 0.8]))
    let svg = chart.svg()
    let checker = XMLChecker(svg)
    #expect(checker.problem == nil)
    #expect(svg == chart.svg())
    for name in ["lru", "m&amp;s", "min", "a &lt;b&gt;"] { #expect(svg.contains(">\(name)</")) }
    // The document, 12 points and the shaded gap explain themselves.
    #expect(checker.titles.count == 14)
    #expect(svg.contains("lru, 25 % of the experts: 20 %"))
  }

  @Test func `names at the lines' ends never overlap`() {
    for seed in 0..<100 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let lines = (0..<Int.random(in: 1...25, using: &random)).map { place in
        line("p\(place)x", (0..<4).map { _ in Double.random(in: 0.4...0.45, using: &random) })
      }
      let svg = HitRateChart(title: "t", lines: lines).svg()
      var heights: [Double] = []
      for row in svg.split(separator: "\n") where row.hasSuffix("x</text>") {
        let part = row.split(separator: " ").first { $0.hasPrefix("y=") }
        heights.append(Double(part?.dropFirst(3).dropLast() ?? "") ?? -1)
      }
      heights.sort()
      #expect(heights.count == lines.count, "seed \(seed)")
      for (upper, lower) in zip(heights, heights.dropFirst()) {
        #expect(lower - upper >= 17.9, "seed \(seed)")
      }
      #expect((heights.first ?? 0) > 60, "seed \(seed)")
    }
  }

  @Test(arguments: [
    ["lru"], ["lru", "mrs", "auto"], ["static (offline)", "workload"],
    ["a name as long as this one"],
  ])
  func `no name is cut, and none touches its rate`(names: [String]) {
    for rates in [[0.1, 0.2, 0.3, 0.4], [0.3]] {
      let chart = HitRateChart(
        title: "t", lines: names.map { line($0, rates) },
        bound: line("MIN (bound)", rates.map { $0 + 0.2 }))
      let svg = chart.svg()
      #expect(!svg.contains("…"))
      for name in names + ["MIN (bound)"] { #expect(svg.contains(">\(name)</text>")) }
    }
  }

  @Test func `a name of any length leaves room for its rate`() {
    let name = String(repeating: "W", count: 200)
    let svg = HitRateChart(title: "t", lines: [line(name, [0.5]), line("b", [0.4])]).svg()
    #expect(svg.contains("…</text>") && svg.contains(">50.0 %</text>"))
  }

  @Test func `a single capacity is a ranking in bars, best first, below its bound`() {
    let chart = HitRateChart(
      title: "t", lines: [line("lru", [0.25]), line("auto", [0.5]), line("mrs", [0.375])],
      bound: line("MIN (bound)", [0.75]))
    let svg = chart.svg()
    let checker = XMLChecker(svg)
    #expect(checker.problem == nil)
    #expect(checker.elements["polyline"] == nil && checker.elements["path"] == nil)
    #expect(
      checker.titles
        == ["t", "MIN (bound): 75.0 %", "auto: 50.0 %", "mrs: 37.5 %", "lru: 25.0 %"])
    #expect(svg.contains("hit rate with 10 % of the experts in the cache"))
    // Bars are as long as their rates, on a scale of 560 for 100 %.
    for length in ["420", "280", "210", "140"] { #expect(svg.contains("width=\"\(length)\"")) }
  }

  @Test func `nothing, one capacity, and rates that are no numbers are drawn all the same`() {
    let nan = HitRateChart.Line("nan", points: [.init(capacity: .nan, hitRate: 0.5)])
    let wild = HitRateChart.Line("wild", points: [.init(capacity: 0.5, hitRate: 7)])
    for lines in [[], [nan], [wild], [nan, wild]] {
      let svg = HitRateChart(title: "t", lines: lines, bound: nan).svg()
      #expect(XMLChecker(svg).problem == nil)
    }
    #expect(HitRateChart(title: "t", lines: []).svg().contains("Nothing was measured"))
  }
}

@Suite struct ChromeTraceTests {
  @Test func `every span becomes one event on its lane's thread`() {
    let timeline = madeUpTimeline(steps: 2, layers: 2)
    let json = ChromeTrace(title: "a \"b\"\n\\").json(timeline)
    let lines = json.split(separator: "\n")
    #expect(lines.filter { $0.contains("\"ph\":\"X\"") }.count == timeline.spans.count + 4)
    #expect(lines.filter { $0.contains("\"tid\":3,\"ts\"") }.count == 16)
    #expect(json.contains("\"args\":{\"name\":\"a \\\"b\\\"\\n\\\\\"}"))
    #expect(json.contains("\"name\":\"missOnCPU 3\",\"cat\":\"missOnCPU\""))
    // Each event but the last ends with a comma, and brackets match.
    #expect(lines.dropFirst().dropLast(2).allSatisfy { $0.hasSuffix("},") })
    #expect(json.filter { $0 == "{" }.count == json.filter { $0 == "}" }.count)
  }

  @Test func `a trace without spans is still a trace`() {
    let json = ChromeTrace(title: "t").json(Timeline())
    #expect(json.hasPrefix("{") && json.hasSuffix("]}\n") && !json.contains("\"X\""))
  }
}
