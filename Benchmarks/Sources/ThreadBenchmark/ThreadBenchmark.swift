// What a parallel region costs, alone and beside other programs: the time per region for some work of
// one thread, cut into chunks; what waking a sleeping team takes; what an idle team burns.
//   swift run -c release --package-path Benchmarks ThreadBenchmark [milliseconds a cell] [threads]

import BenchmarkSupport
import CPUCompute
import Glibc
import HostMemory

@main
struct ThreadBenchmark {
  private let milliseconds: Int
  private let threadCount: Int
  private let roundsPerMicrosecond: Double
  private var report = Report()

  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "--spin" { try spin(on: Int(arguments.last ?? "") ?? 0) }
    let numbers = arguments.compactMap { Int($0) }
    guard numbers.count == arguments.count, numbers.count <= 2, numbers.allSatisfy({ $0 > 0 })
    else {
      print("usage: ThreadBenchmark [milliseconds a cell] [threads]")
      exit(64)
    }
    var benchmark = ThreadBenchmark(
      milliseconds: numbers.first ?? 500,
      threadCount: numbers.dropFirst().first ?? ProcessorCount.usableCores())
    benchmark.report.begin()
    try benchmark.measure()
    benchmark.report.end()
  }

  private init(milliseconds: Int, threadCount: Int) {
    self.milliseconds = milliseconds
    self.threadCount = threadCount
    var best = Double.infinity
    for round in 0..<200 {
      let start = ThreadBenchmark.microseconds()
      keep(work(rounds: 10_000 + round % 2))
      best = min(best, ThreadBenchmark.microseconds() - start)
    }
    roundsPerMicrosecond = 10_000 / best
  }

  private mutating func measure() throws {
    let titles = ["empty", "12.6 µs of work", "100 µs of work"]
    print()
    report.row("µs a region: mean (median)", titles, widths: [20, 22, 22])
    for isBusy in [false, true] {
      let others = isBusy ? try BusyPrograms() : nil
      for count in threadCount > 1 ? [1, threadCount] : [1] {
        let team = try ThreadTeam(threadCount: count)
        let cells = [0, 12.6, 100].map { time(of: $0, on: team) }
        let title = HumanText.threads(count) + (isBusy ? ", every core busy" : "")
        report.row(title, cells, widths: [20, 22, 22])
      }
      withExtendedLifetime(others) {}
    }
    print()
    for isBusy in [false, true] {
      let others = isBusy ? try BusyPrograms() : nil
      let team = try ThreadTeam(threadCount: threadCount)
      let title = isBusy ? ", every core busy" : ""
      report.row("waking a sleeping team" + title, [waking(team) + " µs"], widths: [20])
      withExtendedLifetime(others) {}
    }
    let team = try ThreadTeam(threadCount: threadCount)
    let share = Report.fixed(100 * idling(team), 2) + " % of a core"
    report.row("a team that waits", [share], widths: [20])
  }

  /// Mean and median time of a region with so many microseconds of one thread's work.
  private func time(of microseconds: Double, on team: ThreadTeam) -> String {
    let chunks = microseconds == 0 ? team.threadCount : 16
    let rounds = Int(microseconds / Double(chunks) * roundsPerMicrosecond)
    let regions = microseconds == 0 ? 200 : 20
    var samples: [Double] = []
    let start = ThreadBenchmark.microseconds()
    var now = start
    repeat {
      for _ in 0..<regions {
        team.forEachChunk(count: chunks) { _, _ in if rounds > 0 { keep(work(rounds: rounds)) } }
      }
      let end = ThreadBenchmark.microseconds()
      samples.append((end - now) / Double(regions))
      now = end
    } while now - start < Double(milliseconds) * 1000
    let mean = samples.reduce(0, +) / Double(samples.count)
    let median = samples.sorted()[samples.count / 2]
    return "\(Report.fixed(mean, 2)) (\(Report.fixed(median, 2)))"
  }

  /// Median time until a region is done for which all threads must wake.
  private func waking(_ team: ThreadTeam) -> String {
    let samples = (0..<50).map { _ in
      usleep(5_000)
      let start = ThreadBenchmark.microseconds()
      team.run { _ in }
      return ThreadBenchmark.microseconds() - start
    }
    return Report.fixed(samples.sorted()[samples.count / 2], 0)
  }

  /// The share of a processor that the program takes when nothing is to be done.
  private func idling(_ team: ThreadTeam) -> Double {
    team.run { _ in }
    usleep(2_000)
    let start = ThreadBenchmark.microseconds()
    let before = ThreadBenchmark.microseconds(CLOCK_PROCESS_CPUTIME_ID)
    usleep(useconds_t(milliseconds * 1000))
    let used = ThreadBenchmark.microseconds(CLOCK_PROCESS_CPUTIME_ID) - before
    return used / (ThreadBenchmark.microseconds() - start)
  }

  /// What a busy program does, until it is ended.
  private static func spin(on processor: Int) throws -> Never {
    try Affinity.bindThisThread(to: [processor])
    while true { keep(work(rounds: 1_000_000)) }
  }

  private static func microseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
  }
}

/// Another program on each processor that this one may use; gone with the value.
private final class BusyPrograms {
  private var processes: [pid_t] = []

  init() throws {
    for processor in Affinity.ofThisThread() ?? [0] {
      var process = pid_t()
      let texts: [String] = ["spin", "--spin", "\(processor)"]
      var words: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
      words.append(nil)
      defer { for word in words { free(word) } }
      var environment: [UnsafeMutablePointer<CChar>?] = [nil]
      let code = posix_spawn(&process, "/proc/self/exe", nil, nil, &words, &environment)
      guard code == 0 else { throw HostMemoryError.cannotStartThread(reason: "posix_spawn") }
      processes.append(process)
    }
    usleep(50_000)
  }

  deinit {
    for process in processes {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
  }
}

private enum HumanText {
  static func threads(_ count: Int) -> String { "\(count) thread" + (count == 1 ? "" : "s") }
}

/// Work that takes a time in proportion to its rounds and touches no memory.
@inline(never) private func work(rounds: Int) -> UInt64 {
  var state = UInt64(truncatingIfNeeded: rounds) | 1
  for _ in 0..<rounds {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
  }
  return state
}

/// Lets the compiler believe that a number is needed.
@inline(never) private func keep(_ number: UInt64) {
  if number == 0 { print("never") }
}
