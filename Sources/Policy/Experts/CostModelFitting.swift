extension CostModel.CPU {
  /// Fits `first + experts × (bytes ÷ rate + parameters × tokens ÷ rate)`.
  ///
  /// - Throws: `CostFitError`; needed are four points with different numbers of experts and of
  ///   tokens.
  public static func fit(_ points: [CostPoint]) throws(CostFitError) -> CostFit<Self> {
    let rows = points.map { point in
      let count = Double(point.experts)
      return [1, count * point.bytes, count * point.parameters * Double(point.tokens)]
    }
    let fit = try LaneFit(
      rows, points, advice: "vary the number of experts in one go and the tokens of each")
    return fit.result(
      Self(
        firstMicroseconds: fit.coefficients[0], bytesPerMicrosecond: fit.rate(1),
        parameterTokensPerMicrosecond: fit.rate(2)),
      names: ["firstMicroseconds", "bytesPerMicrosecond", "parameterTokensPerMicrosecond"])
  }
}

extension CostModel.Link {
  /// Fits `copies × (latency + bytes ÷ rate)`, with a rate of its own for copies while the CPU
  /// reads weights, which is never the faster one.
  ///
  /// - Throws: `CostFitError`; needed are four points of different sizes, with idle and reading
  ///   CPU.
  public static func fit(_ points: [CostPoint]) throws(CostFitError) -> CostFit<Self> {
    let rows = points.map { point in
      let (count, bytes) = (Double(point.experts), Double(point.experts) * point.bytes)
      return [count, bytes, point.cpuIsReading ? bytes : 0]
    }
    guard points.contains(where: \.cpuIsReading), points.contains(where: { !$0.cpuIsReading })
    else { throw .undetermined(advice: "measure copies both while the CPU reads and while not") }
    let fit = try LaneFit(
      rows, points, advice: "copy experts of at least two sizes, with idle and with reading CPU")
    let alone = fit.coefficients[1]
    return fit.result(
      Self(
        latencyMicroseconds: fit.coefficients[0], bytesPerMicrosecond: fit.rate(1),
        overlappedBytesPerMicrosecond: LaneFit.rate(alone + fit.coefficients[2])),
      names: ["latencyMicroseconds", "bytesPerMicrosecond", "slowdown while the CPU reads"])
  }
}

extension CostModel.GPU {
  /// Fits `launch + experts × (expert + bytes ÷ rate + parameters × max(0, tokens − knee) ÷ rate)`,
  /// trying the knees that the points can tell apart.
  ///
  /// - Throws: `CostFitError`; needed are six points with different numbers of experts in a launch,
  ///   different sizes and different tokens.
  public static func fit(_ points: [CostPoint]) throws(CostFitError) -> CostFit<Self> {
    var best: (fit: LaneFit, knee: Int)?
    func consider(_ knee: Int) throws(CostFitError) {
      let rows = points.map { point in
        let count = Double(point.experts)
        let beyond = Double(max(0, point.tokens - knee))
        return [1, count, count * point.bytes, count * point.parameters * beyond]
      }
      let fit = try LaneFit(
        rows, points, spare: 1,
        advice: "vary the number of experts in a launch, their size and the tokens of each")
      // Where the points leave the knee open, the earliest promises the gentlest slope beyond it;
      // but without any slope the flat part reaches as far as was measured.
      let isFlat = fit.coefficients[3] == 0
      let known = best?.fit.squaredError ?? .infinity
      if fit.squaredError < known * (1 - 1e-6) || isFlat && fit.squaredError <= known {
        best = (fit, knee)
      }
    }
    let tokens = Set(points.map(\.tokens)).sorted()
    for knee in [0] + tokens { try consider(knee) }
    // The knee itself may lie between two measured loads.
    if let coarse = best?.knee {
      let low = tokens.last { $0 < coarse } ?? 0
      let high = tokens.first { $0 > coarse } ?? coarse
      let step = max(1, (high - low) / 64)
      for knee in stride(from: low, through: high, by: step) { try consider(knee) }
      let fine = best?.knee ?? coarse
      for knee in max(low, fine - step)...min(high, fine + step) { try consider(knee) }
    }
    guard let (fit, knee) = best else { throw .tooFewPoints(found: 0, needed: 6) }
    return fit.result(
      Self(
        launchMicroseconds: fit.coefficients[0], expertMicroseconds: fit.coefficients[1],
        bytesPerMicrosecond: fit.rate(2), kneeTokens: knee,
        parameterTokensPerMicrosecond: fit.rate(3)),
      names: [
        "launchMicroseconds", "expertMicroseconds", "bytesPerMicrosecond",
        "parameterTokensPerMicrosecond",
      ])
  }
}

/// One lane's points, fitted.
private struct LaneFit {
  let coefficients: [Double]
  let squaredError: Double
  private let rows: [[Double]]
  private let points: [CostPoint]

  /// `spare` are unknowns beside the coefficients. A column of zeros (no point beyond the knee)
  /// leaves its coefficient at 0.
  init(
    _ rows: [[Double]], _ points: [CostPoint], spare: Int = 0, advice: String
  ) throws(CostFitError) {
    for (index, point) in points.enumerated() { try Self.check(point, index) }
    let unknowns = (rows.first?.count ?? 3) + spare
    guard points.count > unknowns else {
      throw .tooFewPoints(found: points.count, needed: unknowns + 1)
    }
    var squares = LeastSquares(unknowns: rows[0].count)
    for (row, point) in zip(rows, points) {
      squares.add(row.map { $0 / point.microseconds }, target: 1)
    }
    guard squares.isIndependent(squares.filledColumns) else { throw .undetermined(advice: advice) }
    let solution = squares.solution()
    coefficients = solution.coefficients
    // Below the rounding of the sums all fits are equally good.
    squaredError = max(solution.squaredError, 1e-15 * Double(points.count))
    self.rows = rows
    self.points = points
  }

  private static func check(_ point: CostPoint, _ index: Int) throws(CostFitError) {
    let range = 0.0..<1e15
    guard point.microseconds > 0, range.contains(point.microseconds) else {
      throw .invalidPoint(index: index, reason: "its time is \(point.microseconds) microseconds")
    }
    guard point.experts > 0, point.tokens > 0, point.experts < 1 << 30, point.tokens < 1 << 30
    else {
      throw .invalidPoint(
        index: index, reason: "it has \(point.experts) experts with \(point.tokens) tokens each")
    }
    guard point.bytes > 0, point.parameters > 0, range.contains(point.bytes),
      range.contains(point.parameters)
    else {
      throw .invalidPoint(
        index: index,
        reason: "its experts have \(point.bytes) bytes and \(point.parameters) weights")
    }
  }

  func rate(_ column: Int) -> Double { Self.rate(coefficients[column]) }

  static func rate(_ slope: Double) -> Double {
    slope > 1 / CostModel.unmeasurablyFast ? 1 / slope : CostModel.unmeasurablyFast
  }

  func result<Part>(_ part: Part, names: [String]) -> CostFit<Part> {
    var (worst, squares) = (0.0, 0.0)
    for (row, point) in zip(rows, points) {
      let fitted = zip(row, coefficients).reduce(0) { $0 + $1.0 * $1.1 }
      let error = abs(fitted - point.microseconds) / point.microseconds
      worst = max(worst, error)
      squares += error * error
    }
    return CostFit(
      part: part, maximumRelativeError: worst,
      rootMeanSquareRelativeError: (squares / Double(points.count)).squareRoot(),
      invisible: zip(names, coefficients).filter { $0.1 <= 0 }.map(\.0))
  }
}
