import CPUCompute
import Inference
import Models
import OrderedJSON

/// Measures on request, for programs that compare engines turn by turn: one request a line on standard
/// input, one JSON object a line on standard output.
///
///     pp128 2      runs a test once with 2 threads; its first run loads and warms up
///     ceilings 2   measures what 2 threads can do and gives the best so far
struct BenchmarkServer {
  let subject: BenchmarkSubject
  let options: SessionOptions
  private var runners: [Int: SequenceRunner] = [:]
  private var meters: [Int: CeilingMeter] = [:]
  private var memory: CeilingMemory?
  private var costs: [String: StepProfile.Cost] = [:]

  init(_ subject: BenchmarkSubject, options: SessionOptions) {
    self.subject = subject
    self.options = options
  }

  /// Answers until standard input ends.
  /// - Throws: `CommandFailure` for a request that it does not know; what running throws.
  mutating func run() throws {
    try answer([
      ("ready", .bool(true)), ("model", .string(subject.name)),
      ("bytes", .integer(subject.survey.total.byteCount)),
      ("bytesPerToken", .optional(subject.survey.bytesPerToken)),
      ("weightsPerToken", .optional(subject.survey.weightsPerToken)),
      ("version", .string(Version.short)), ("processor", .string(Processor.name)),
    ])
    var lines = LineReader()
    while case .text(let line) = try lines.next() {
      let words = line.split(separator: " ")
      guard let word = words.first else { continue }
      let threads = words.count > 1 ? Int(words[1]) : options.threadCount
      guard words.count <= 2, words.count == 1 || (1...1024).contains(threads ?? 0) else {
        throw CommandFailure(
          "The request '\(TerminalText.safe(line, width: 60))' is not TEST or TEST THREADS.")
      }
      let runner = try runner(threads: threads)
      if word == "ceilings" {
        try ceilings(runner)
      } else if let test = BenchmarkTest(word) {
        try measure(test, runner)
      } else {
        throw CommandFailure(
          "The request '\(TerminalText.safe(line, width: 60))' is neither a test such as pp128 or "
            + "tg64 nor 'ceilings'.")
      }
    }
  }

  private mutating func runner(threads: Int?) throws -> SequenceRunner {
    if let known = runners[threads ?? 0] { return known }
    var options = options
    options.threadCount = threads
    let runner = try SequenceRunner(model: subject.model, options: options)
    runners[threads ?? 0] = runner
    return runner
  }

  private mutating func measure(_ test: BenchmarkTest, _ runner: SequenceRunner) throws {
    guard test.tokenCount <= runner.contextLength else {
      throw CommandFailure(
        "A test of \(test.tokenCount) tokens does not fit the context of \(runner.contextLength) "
          + "tokens; give a larger --context.")
    }
    let work = BenchmarkRun(runner: runner, isCancelled: { Interrupts.isWaiting })
    let outcome = try work.run(test)
    let cost = try cost(of: test, work)
    try answer([
      ("test", .string(test.name)), ("threads", .integer(runner.compute.threadCount)),
      ("instructionSet", .string(runner.compute.instructionSet.rawValue)),
      ("seconds", .double(outcome.seconds)),
      ("tokensPerSecond", .double(Double(test.tokenCount) / max(outcome.seconds, 1e-9))),
      ("checksum", .string(BenchmarkReport.hexadecimal(outcome.checksum))),
      ("bytesRead", .integer(cost.byteCount)), ("operations", .integer(cost.operationCount)),
    ])
  }

  /// What a run of a test reads and calculates, counted in a run of its own at the first request.
  private mutating func cost(
    of test: BenchmarkTest, _ work: BenchmarkRun
  ) throws -> StepProfile.Cost {
    if let known = costs[test.name] { return known }
    let profile = StepProfile()
    work.runner.compute.profile = profile
    defer { work.runner.compute.profile = nil }
    _ = try work.run(test)
    costs[test.name] = profile.total
    return profile.total
  }

  private mutating func ceilings(_ runner: SequenceRunner) throws {
    let threads = runner.compute.threadCount
    let memory = try memory ?? CeilingMemory()
    self.memory = memory
    let meter = meters[threads] ?? CeilingMeter(runner.compute, memory: memory)
    meters[threads] = meter
    meter.measure()
    try answer([
      ("test", .string("ceilings")), ("threads", .integer(threads)),
      ("ceilings", BenchmarkReport.json(meter.ceilings)),
    ])
  }

  private func answer(_ members: [(String, JSONValue)]) throws {
    try OutputStream.standardOutput.write(JSONValue.object(members).text + "\n")
  }
}
