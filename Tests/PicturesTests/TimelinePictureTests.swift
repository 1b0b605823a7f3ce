import Experts
import Pictures
import TestSupport
import Testing

/// A made-up run in which every kind of span occurs and no lane does two things at once.
func madeUpTimeline(steps: Int, layers: Int, seed: UInt64 = 1) -> Timeline {
  var random = SeededGenerator(seed: seed)
  var timeline = Timeline()
  var clocks: [Lane: Double] = [:]
  for step in 0..<steps {
    for layer in 0..<layers {
      let start = clocks.values.max() ?? 0
      func add(_ kind: Timeline.Kind, _ lane: Lane, expert: Int?, length: ClosedRange<Double>) {
        let begin = max(clocks[lane] ?? 0, lane == .link ? 0 : start)
        let end = begin + Double.random(in: length, using: &random)
        clocks[lane] = end
        timeline.append(
          .init(
            kind, on: lane, start: begin, end: end, step: step,
            phase: step == 0 ? .prefill : .decode, layer: layer, expert: expert))
      }
      add(.dense, .gpu, expert: nil, length: 50...100)
      add(.shared, .gpu, expert: nil, length: 20...30)
      add(.hit, .gpu, expert: 1, length: 10...12)
      add(.missOnGPU, .gpu, expert: 2, length: 10...12)
      add(.missOnCPU, .cpu, expert: 3, length: 80...120)
      add(.stolen, .cpu, expert: 4, length: 80...120)
      for kind in [
        Timeline.Kind.onDemandCopy, .prefetchCopy, .fillCopy, .cancelledPiece,
      ] { add(kind, .link, expert: 2, length: 20...60) }
    }
  }
  return timeline
}

/// A prefill of which each layer has as many copies, one after the other, as told; each is
/// followed by its expert on the GPU.
private func crowdedPrefill(layers: Int, copies: Int) -> Timeline {
  var timeline = Timeline()
  func add(
    _ kind: Timeline.Kind, _ lane: Lane, _ start: Double, _ end: Double, _ expert: (Int, Int)
  ) {
    timeline.append(
      .init(
        kind, on: lane, start: start, end: end, step: 0, phase: .prefill, layer: expert.0,
        expert: 100 * expert.0 + expert.1))
  }
  for layer in 0..<layers {
    let start = Double(layer * (copies + 1)) * 900
    add(.missOnCPU, .cpu, start, start + 400, (layer, 99))
    for copy in 0..<copies {
      let copied = start + 900 * Double(copy + 1)
      add(.onDemandCopy, .link, copied - 900, copied, (layer, copy))
      add(.missOnGPU, .gpu, copied, copied + 20, (layer, copy))
    }
  }
  return timeline
}

@Suite struct TimelinePictureTests {
  private let picture = TimelinePicture(title: "A <run> of \"R&D\"", subtitle: "it's 5 > 3")

  @Test(arguments: [(0, 0), (1, 1), (1, 3), (1, 26), (3, 5), (1, 94), (40, 26)])
  func `a picture of any length is well-formed and stays inside its frame`(
    steps: Int, layers: Int
  ) throws {
    let svg = picture.svg(madeUpTimeline(steps: steps, layers: layers))
    let checker = XMLChecker(svg)
    #expect(checker.problem == nil)
    #expect(checker.titles.first == "A &lt;run&gt; of &quot;R&amp;D&quot;")
    #expect(svg.contains(">it&#39;s 5 &gt; 3</text>"))
    let numbers = Rectangles(svg)
    #expect(numbers.right <= 1240 && numbers.bottom <= numbers.height)
    #expect(numbers.smallest >= 0)
  }

  @Test func `every piece of work of a short run has its box with its story`() {
    let timeline = madeUpTimeline(steps: 2, layers: 3)
    let titles = XMLChecker(picture.svg(timeline)).titles.dropFirst()
    // Spans that a band's end cuts are drawn in both bands.
    #expect(titles.count >= timeline.spans.count)
    for kind in ["hit", "miss on CPU", "resident taken by the CPU", "fill", "given up"] {
      for step in 0..<2 {
        for layer in 0..<3 {
          let isThere = titles.contains {
            $0.hasPrefix(kind) && $0.contains("layer \(layer), step \(step) ")
          }
          #expect(isThere, "\(kind), layer \(layer), step \(step)")
        }
      }
    }
  }

  @Test func `the same run gives the same picture`() {
    let timeline = madeUpTimeline(steps: 1, layers: 4)
    let reversed = Timeline(spans: timeline.spans.reversed())
    #expect(picture.svg(timeline) == picture.svg(timeline))
    #expect(picture.svg(timeline) == picture.svg(reversed))
  }

  @Test func `a long run shows the whole and one step of it`() {
    let svg = picture.svg(madeUpTimeline(steps: 40, layers: 26))
    #expect(svg.contains("The whole run: 1 prefill step and 39 decode steps"))
    #expect(svg.contains("Step 20, decode: 26 layers"))
    #expect(svg.utf8.count < 1_000_000)
    var chosen = picture
    chosen.step = 0
    let first = chosen.svg(madeUpTimeline(steps: 40, layers: 26))
    #expect(first.contains("Step 0, prefill: 26 layers"))
    chosen.step = 4711
    #expect(chosen.svg(madeUpTimeline(steps: 40, layers: 26)).contains("Step 20, decode"))
  }

  @Test func `a crowded prefill is drawn a layer a band, and every copy carries its expert`() {
    let timeline = crowdedPrefill(layers: 28, copies: 24)
    let svg = picture.svg(timeline)
    #expect(svg.contains("The whole run: 1 prefill step in"))
    #expect(svg.contains(">A · Step 0, prefill: layers 12 to 15 (of 28) in"))
    for layer in 12...15 {
      #expect(svg.contains(">layer \(layer)</text>"))
      // Its number stands in the copy, and beside the narrow box of the GPU.
      for copy in 0..<24 {
        let number = ">\(100 * layer + copy)</text>"
        #expect(svg.ranges(of: number).count == 2, "layer \(layer), copy \(copy)")
      }
    }
  }

  @Test func `prefill and decode are both shown and named, in short and in long runs`() {
    let short = picture.svg(madeUpTimeline(steps: 3, layers: 2))
    #expect(!short.contains("The whole run"))
    for heading in ["Step 0, prefill: 2 layers", "Step 1, decode: 2", "Step 2, decode: 2"] {
      #expect(short.contains(">" + heading))
    }
    let one = picture.svg(madeUpTimeline(steps: 1, layers: 1))
    #expect(one.contains(">Step 0, prefill: 1 layer in"))
    // A prefill of a thousandth of the time keeps its name over the overview.
    var long = madeUpTimeline(steps: 1000, layers: 2)
    long.spans.removeAll { $0.step == 0 && $0.layer == 1 }
    let svg = picture.svg(long)
    #expect(svg.contains(">prefill</text>") || svg.contains(">prefill, "))
    #expect(svg.contains(">decode, "))
    #expect(svg.contains(">A · Step 0, prefill: 1 layer in"))
    #expect(svg.contains(">B · Step 500, decode: 2 layers in"))
  }

  @Test func `what a long run shows is at most a few bands, however crowded its layers are`() {
    for (layers, copies) in [(60, 250), (94, 40), (1, 250), (3, 2000)] {
      let svg = picture.svg(crowdedPrefill(layers: layers, copies: copies))
      #expect(XMLChecker(svg).problem == nil)
      let rectangles = Rectangles(svg)
      #expect(rectangles.height < 1400, "\(layers) layers, \(copies) copies")
      #expect(rectangles.right <= 1240)
    }
  }

  @Test func `only kinds that occur are explained`() {
    let timeline = Timeline(spans: [
      .init(.hit, on: .gpu, start: 0, end: 10, step: 0, phase: .decode, layer: 0, expert: 7)
    ])
    let svg = picture.svg(timeline)
    #expect(svg.contains("hit (resident, on GPU)") && !svg.contains("prefetch"))
    #expect(svg.contains("expert 7, layer 0, step 0 (decode): 0 to 10 µs, 10 µs"))
  }

  @Test func `the pieces of one copy are one box`() {
    let pieces = (0..<3).map { piece in
      Timeline.Span(
        .prefetchCopy, on: .link, start: 90 * Double(piece), end: 90 * Double(piece + 1), step: 0,
        phase: .decode, layer: 1, expert: 7)
    }
    let titles = XMLChecker(picture.svg(Timeline(spans: pieces))).titles
    #expect(titles.count == 2)
    #expect(titles.last?.contains("270 µs") == true)
  }

  @Test func `many narrow pieces become one box that counts them`() {
    var timeline = Timeline()
    for expert in 0..<1000 {
      let start = Double(expert)
      timeline.append(
        .init(
          .hit, on: .gpu, start: start, end: start + 1, step: 0, phase: .prefill, layer: 0,
          expert: expert))
    }
    let titles = XMLChecker(picture.svg(timeline)).titles.dropFirst()
    #expect(titles.count < 200)
    let counted = titles.reduce(0) { $0 + (Int($1.prefix { $0.isNumber }) ?? 1) }
    #expect(counted == 1000)
  }

  @Test func `times that are no numbers are left out, and huge and tiny ones are drawn`() {
    var timeline = Timeline()
    for (start, end) in [
      (0.0, 1e15), (.nan, 1), (0, .infinity), (5, 4), (1e-9, 2e-9), (3, 3),
    ] {
      timeline.append(
        .init(.hit, on: .gpu, start: start, end: end, step: 0, phase: .decode, layer: 0))
    }
    #expect(XMLChecker(picture.svg(timeline)).problem == nil)
    #expect(XMLChecker(picture.svg(Timeline(spans: [timeline.spans[4]]))).problem == nil)
    #expect(picture.svg(Timeline(spans: [timeline.spans[5]])).contains("Nothing was recorded"))
  }
}

/// The extent of a picture's rectangles.
private struct Rectangles {
  var right = 0.0
  var bottom = 0.0
  var smallest = 0.0
  var height = 0.0

  init(_ svg: String) {
    for line in svg.split(separator: "\n") {
      func value(_ name: String) -> Double? {
        for part in line.split(separator: " ") where part.hasPrefix(name + "=\"") {
          return Double(part.dropFirst(name.count + 2).prefix { $0 != "\"" })
        }
        return nil
      }
      if line.hasPrefix("<svg") { height = value("height") ?? 0 }
      guard line.hasPrefix("<rect"), let x = value("x"), let y = value("y"),
        let width = value("width"), let tall = value("height")
      else { continue }
      right = max(right, x + width)
      bottom = max(bottom, y + tall)
      smallest = min(smallest, x, y, width, tall)
    }
  }
}

@Suite struct `Predicted lanes` {
  private let measured = madeUpTimeline(steps: 2, layers: 3)
  private var predicted: Timeline {
    Timeline(
      spans: measured.spans.map { span in
        var span = span
        span.end = span.start + 0.8 * (span.end - span.start)
        return span
      })
  }

  @Test func `stand below what was measured, with both shares of time`() {
    let svg = TimelinePicture(title: "A run").svg(measured, predicted: predicted)
    let checker = XMLChecker(svg)
    #expect(checker.problem == nil)
    let lanes = ["GPU", "CPU", "Link"]
    for lane in lanes {
      let rows = svg.ranges(of: ">\(lane)</text>").count
      #expect(rows > 0 && rows % 2 == 0, "\(lane) has two rows in each band")
    }
    #expect(svg.contains(">measured<") && svg.contains(">predicted<"))
    let alone = TimelinePicture(title: "A run").svg(measured)
    #expect(!alone.contains("measured") && alone.contains("% busy"))
  }

  @Test func `are a process of their own in a trace`() {
    let json = ChromeTrace(title: "A run").json(measured, predicted: predicted)
    #expect(json.contains("\"pid\":2") && json.contains("A run, predicted"))
    #expect(json.contains("A run, measured"))
    let alone = ChromeTrace(title: "A run").json(measured)
    #expect(!alone.contains("\"pid\":2") && !alone.contains("measured"))
    #expect(
      json.ranges(of: "\"ph\":\"X\"").count == 2 * alone.ranges(of: "\"ph\":\"X\"").count,
      "every span of both is there")
  }
}
