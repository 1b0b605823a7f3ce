import ExpertDirection
import ExpertScheduling
import Experts

/// An engine whose system can be exchanged between runs, so that several are compared with the same
/// weights in the same memory.
protocol SystemSwitching: AnyObject {
  /// Makes a system of everything that decides, with the cache's slots filled as it begins with;
  /// what was counted and learned before is forgotten.
  func use(_ system: SystemDescription, popularity: [Double]) throws
  /// Takes the place of the model's routers; nil: they decide.
  func force(_ routing: ForcedRouting?)
  /// What was done since the system was chosen.
  var figures: HybridFigures { get }
  /// Whether times are those of a modelled machine.
  var isModelled: Bool { get }
  /// The device's clock.
  var microseconds: Double { get }
}

/// Measures several systems in turn, again and again, so that what the machine does meanwhile meets
/// all of them alike.
struct SystemComparison {
  /// What one system did in one test.
  struct Cell: Equatable {
    var seconds: [Double] = []
    var figures = HybridFigures()
    /// Equal for all systems: a system decides who computes, never what.
    var checksum: UInt64 = 0
  }

  struct Row {
    let system: SystemDescription
    var cells: [Cell]
  }

  let engine: any SystemSwitching
  let run: BenchmarkRun
  let tests: [BenchmarkTest]
  let systems: [SystemDescription]
  let routing: ForcedRouting?

  /// - Parameter repetitions: each of all tests of all systems; one round before does not count.
  ///   Modelled times are the same every time, so that they are taken once.
  func measure(repetitions: Int) throws -> [Row] {
    let rounds = engine.isModelled ? 1...1 : 0...repetitions
    var rows = systems.map {
      Row(system: $0, cells: Array(repeating: Cell(), count: tests.count))
    }
    engine.force(routing)
    defer { engine.force(nil) }
    for round in rounds {
      for place in rows.indices {
        for (column, test) in tests.enumerated() {
          let outcome = try measure(test, rows[place].system)
          rows[place].cells[column].checksum = outcome.checksum
          guard round > 0 else { continue }
          rows[place].cells[column].seconds.append(outcome.seconds)
          rows[place].cells[column].figures = outcome.figures
        }
      }
    }
    return rows
  }

  private func measure(
    _ test: BenchmarkTest, _ system: SystemDescription
  ) throws -> (seconds: Double, figures: HybridFigures, checksum: UInt64) {
    // Every run begins with the cache as the system has it at first: no system profits from
    // another's text.
    try engine.use(system, popularity: routing?.popularity ?? [])
    routing?.rewind()
    let start = engine.microseconds
    let outcome = try run.run(test)
    return ((engine.microseconds - start) / 1e6, engine.figures, outcome.checksum)
  }
}

extension SystemComparison.Cell {
  /// The median of tokens per second.
  func tokensPerSecond(_ test: BenchmarkTest) -> Double {
    Measurement.median(of: seconds.map { Double(test.tokenCount) / max($0, 1e-12) })
  }
}
