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
