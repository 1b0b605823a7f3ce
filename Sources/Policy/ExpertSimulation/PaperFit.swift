import Experts
import Placement

/// The figures of the paper's machine that the paper does not give, fitted to its ablation table.
///
/// Three numbers are free: how fast the CPU multiplies (its slope per token), the GPU's time for an
/// expert beside reading it, and the time for launching a layer's dense part. The table has nine
/// figures. The sum of the squared logarithms of simulated ÷ published is made small by turning one
/// number after the other by ever smaller factors: no derivative is needed, a step function of plans
/// has none worth the name, and the result is the same every time.
///
/// Nothing else is fitted, and nothing to any other result of the paper.
public struct PaperFit: Equatable, Sendable {
  /// The profile with the fitted numbers.
  public private(set) var profile: MachineProfile
  public private(set) var rows: [PaperEvaluation.AblationRow] = []
  /// The root of the mean squared logarithm of simulated ÷ published: 0.1 is about 10 %.
  public private(set) var error = Double.infinity
  /// Times that the table was simulated.
  public private(set) var evaluations = 0

  /// Turns of each number before the fit ends, and the factor of the first turn, of which every
  /// round takes the root.
  private static let rounds = 5
  private static let firstFactor = 1.5
  /// Turns in one direction at most, and the part of the error that a turn must take away: a number
  /// that has no influence must not run off to nothing.
  private static let turnLimit = 8
  private static let leastGain = 1e-4

  /// Fits the free numbers of an evaluation's profile, whatever they are there: the start is always
  /// the same, so the result is, too.
  public init(_ evaluation: PaperEvaluation) throws {
    profile = evaluation.profile
    for number in Number.allCases { number.set(&profile) }
    guard let shape = evaluation.shapes.first(where: { $0.name == PublishedResults.ablationModel })
    else {
      throw SimulationError.description(
        "The fit needs the shape '\(PublishedResults.ablationModel)'.")
    }
    let sequence = try evaluation.sequence(
      shape, PublishedResults.ablationPromptTokens, evaluation.decodeTokens)
    func measure(_ profile: MachineProfile) throws -> [PaperEvaluation.AblationRow] {
      try evaluation.ablation(sequence, SimulatedMachine(profile: profile, shape: shape))
    }
    try keep(profile, measure(profile))
    var factor = Self.firstFactor
    for _ in 0..<Self.rounds {
      for number in Number.allCases {
        for turn in [factor, 1 / factor] {
          // Goes on in a direction as long as it helps.
          for _ in 0..<Self.turnLimit {
            var trial = profile
            number.scale(&trial, by: turn)
            guard try keep(trial, measure(trial)) else { break }
          }
        }
      }
      factor = factor.squareRoot()
    }
  }

  @discardableResult
  private mutating func keep(
    _ trial: MachineProfile, _ rows: [PaperEvaluation.AblationRow]
  ) throws -> Bool {
    evaluations += 1
    let error = Self.error(of: rows)
    guard error.isFinite, !self.error.isFinite || error < self.error * (1 - Self.leastGain)
    else { return false }
    (profile, self.rows, self.error) = (trial, rows, error)
    return true
  }

  /// The root of the mean squared logarithm of simulated ÷ published.
  public static func error(of rows: [PaperEvaluation.AblationRow]) -> Double {
    var squares: [Double] = []
    for row in rows {
      for (simulated, published) in [
        (row.prefillMilliseconds, row.published.prefillMilliseconds),
        (row.decodeMilliseconds, row.published.decodeMilliseconds),
      ] {
        guard let published else { continue }
        // Relative to the middle, which is the logarithm's first terms and needs no library.
        let ratio = 2 * (simulated - published) / (simulated + published)
        squares.append(ratio * ratio)
      }
    }
    return squares.isEmpty
      ? .infinity : (squares.reduce(0, +) / Double(squares.count)).squareRoot()
  }

  /// The free numbers.
  private enum Number: CaseIterable {
    case cpuMultiply, gpuLayer, gpuExpert

    /// Where the fit starts: the middle of what such parts give elsewhere.
    func set(_ profile: inout MachineProfile) {
      switch self {
      // A tenth of ten cores' 8-bit products.
      case .cpuMultiply:
        for type in profile.host.cpu.keys {
          profile.host.cpu[type]?.parameterTokensPerMicrosecond = 100_000
        }
      // A few kernels of 5 to 10 microseconds.
      case .gpuExpert: profile.gpu.expertMicroseconds = 20
      // What reading leaves of the 25 ms a token that the paper's tables suggest for Qwen2-57B.
      case .gpuLayer: profile.gpu.layerMicroseconds = 690
      }
    }

    func scale(_ profile: inout MachineProfile, by factor: Double) {
      switch self {
      case .cpuMultiply:
        for type in profile.host.cpu.keys {
          profile.host.cpu[type]?.parameterTokensPerMicrosecond *= factor
        }
      case .gpuExpert: profile.gpu.expertMicroseconds *= factor
      case .gpuLayer: profile.gpu.layerMicroseconds *= factor
      }
    }
  }
}
