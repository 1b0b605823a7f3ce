import Glibc
import HybridDecoding
import Models
import Synchronization
import TestSupport
import Testing

/// All models, schedulers, evictions, caches, prefetchings, chunks and orders with each other, while the other
/// options take turns: more than 100,000 runs, which only who asks for them gets.
///
/// `HYBRIMOE_TEST_ALL_COMBINATIONS` is `all`, or numbers such as `0..999` or `57`. The numbers are places in a
/// fixed shuffled order, so that any part is an even sample of the whole.
enum AllCombinations {
  static let variable = "HYBRIMOE_TEST_ALL_COMBINATIONS"
  static let wish = getenv(variable).map { String(cString: $0) }
  static let count = crossed.reduce(1) { $0 * EngineRun.levels[$1] }
  /// The factors that meet in every way.
  private static let crossed = [0, 1, 2, 3, 4, 7, 9]

  private static let places: [Int] = {
    var places = Array(0..<count)
    var generator = SeededGenerator(seed: 2)
    for last in places.indices.reversed() {
      places.swapAt(last, Int(generator.next() % UInt64(last + 1)))
    }
    return places
  }()

  static func run(number: Int) -> EngineRun {
    let place = places[number]
    var row = EngineRun.levels.indices.map { place / (7 * $0 + 1) % EngineRun.levels[$0] }
    var rest = place
    for factor in crossed.reversed() {
      row[factor] = rest % EngineRun.levels[factor]
      rest /= EngineRun.levels[factor]
    }
    return EngineRun(row)
  }

  /// The numbers that a wish names; nil where it names none.
  static func numbers(_ wish: String) -> ClosedRange<Int>? {
    if wish == "all" { return 0...count - 1 }
    let ends = wish.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    let found: (Int, Int)
    switch ends.count {
    case 1: found = (ends[0] ?? -1, ends[0] ?? -1)
    case 3 where ends[1] == nil: found = (ends[0] ?? -1, ends[2] ?? -1)
    default: return nil
    }
    guard found.0 >= 0, found.0 <= found.1, found.1 < count else { return nil }
    return found.0...found.1
  }

  /// Tests that share the numbers out, which run at once unless it is forbidden.
  static let shares = wish == nil ? 1 : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

@Suite struct AllCombinationsTests {
  private static let done = Atomic(0)
  private static let failed = Atomic(0)

  @Test(.enabled(if: AllCombinations.wish != nil), arguments: 0..<AllCombinations.shares)
  func `the hybrid engine's numbers are the processor's in all combinations`(share: Int) throws {
    let wish = AllCombinations.wish ?? ""
    let numbers = try #require(
      AllCombinations.numbers(wish),
      """
      \(AllCombinations.variable) is "\(wish)", which should be all, a number below \
      \(AllCombinations.count) or two such as 0..999
      """)
    var references = References()
    for number in numbers where number % AllCombinations.shares == share {
      let run = AllCombinations.run(number: number)
      do {
        let isSame = try references.isSame(run)
        if !isSame { report(number, "\(run): other bits") }
      } catch {
        report(number, "\(run): \(error)")
      }
      let done = Self.done.add(1, ordering: .relaxed).newValue
      if done % 500 == 0 || done == numbers.count {
        say(
          "\(done) of \(numbers.count) combinations, "
            + "\(Self.failed.load(ordering: .relaxed)) failed")
      }
    }
  }

  private func report(_ number: Int, _ what: String) {
    Self.failed.add(1, ordering: .relaxed)
    let again = "\(AllCombinations.variable)=\(number) swift test --filter AllCombinationsTests"
    let line = "combination \(number) fails: \(what)\n  alone: \(again)"
    say(line)
    Issue.record("\(line)")
  }

  private func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }

  @Test func `each combination has one number`() {
    let rows = (0..<AllCombinations.count).map { AllCombinations.run(number: $0).levels }
    #expect(Set(rows).count == AllCombinations.count)
    #expect(AllCombinations.numbers("all") == 0...AllCombinations.count - 1)
    #expect(AllCombinations.numbers("57") == 57...57)
    #expect(AllCombinations.numbers("10..12") == 10...12)
    for wish in ["", "0..", "..3", "3..1", "-1", "1...2", "0..999999999", "x"] {
      #expect(AllCombinations.numbers(wish) == nil, "\(wish)")
    }
  }
}

/// Models and the processor's numbers, which are the same for many runs.
private struct References {
  private struct Key: Hashable {
    var model: String
    var chunk: Int
  }

  private struct Numbers {
    var logits: [[UInt32]]
    var routing: [[UInt32]]
  }

  private static let answer = [11, 64, 117]
  private var models: [String: DecoderModel] = [:]
  private var numbers: [Key: Numbers] = [:]

  /// Whether a run has the processor's logits and routing.
  mutating func isSame(_ run: EngineRun) throws -> Bool {
    let model = try models[run.model] ?? World.load(run.model)
    models[run.model] = model
    let engine = try Engine(run, model: model)
    let vocabulary = model.hyperparameters.vocabularySize
    let prompt = (0..<5).map { ($0 * 37 + 101 + $0 * $0 * 7) % vocabulary }
    let answer = Self.answer.map { $0 % vocabulary }
    func take(_ backend: some SequenceBackend) throws -> Numbers {
      let recorder = Recorder()
      let logits = try backend.bits(
        prompt: prompt, chunk: run.chunk, answer: answer, observer: recorder)
      return Numbers(logits: logits, routing: recorder.bits)
    }
    let key = Key(model: run.model, chunk: run.chunk)
    let expected = try numbers[key] ?? take(engine.expected)
    numbers[key] = expected
    let found = try take(engine.decoder)
    let plans = engine.executor.report[.decode].plans
    return found.logits == expected.logits && found.routing == expected.routing
      && plans == model.expertLayers.count * answer.count
  }
}
