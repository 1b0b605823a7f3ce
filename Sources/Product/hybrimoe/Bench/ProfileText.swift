import CPUCompute
import OrderedJSON

/// What `bench --profile` says: where the time of each test goes, and how near to the ceilings each part
/// comes.
struct ProfileText {
  private let measurements: [Measurement]
  private let profiles: [StepProfile]
  private let ceilings: Ceilings
  private let threadCount: Int

  init(
    _ measurements: [Measurement], _ profiles: [StepProfile], _ ceilings: Ceilings,
    _ threadCount: Int
  ) {
    self.measurements = measurements
    self.profiles = profiles
    self.ceilings = ceilings
    self.threadCount = threadCount
  }

  var text: String {
    zip(measurements, profiles).map { "\n" + table($0, $1) }.joined()
  }

  /// Parts of one test, in the order of a step; those that took nothing are left out.
  private func table(_ measurement: Measurement, _ profile: StepProfile) -> String {
    var table = TextTable([
      (measurement.test.name, .left), ("ms a run", .right), ("of time", .right), ("GB/s", .right),
      ("of reads", .right), ("GOPS", .right), ("of peak", .right),
    ])
    let runs = Double(max(1, measurement.seconds.count))
    let total = profile.total
    func add(_ name: String, _ cost: StepProfile.Cost, peak: Double?) {
      guard cost.nanoseconds > 0 else { return }
      let nanoseconds = Double(cost.nanoseconds)
      let read = Double(cost.byteCount) / nanoseconds
      let products = Double(cost.operationCount) / nanoseconds
      table.add(
        name, HumanUnits.fixed(nanoseconds / runs / 1e6, 2),
        BenchmarkReport.share(nanoseconds, of: Double(total.nanoseconds)),
        cost.byteCount == 0 ? "" : HumanUnits.fixed(read, 1),
        cost.byteCount == 0 ? "" : BenchmarkReport.share(read, of: ceilings.readGBps),
        cost.operationCount == 0 ? "" : HumanUnits.fixed(products, 0),
        cost.operationCount == 0 ? "" : BenchmarkReport.share(products, of: peak))
    }
    for part in StepProfile.Part.allCases {
      // Attention and the router multiply F32 numbers.
      let isFloat = part == .attention || part == .router
      add(
        part.name, profile[part], peak: isFloat ? ceilings.floatGOPS : ceilings.productGOPS)
    }
    add("all", total, peak: ceilings.productGOPS)
    return table.text
  }

  static func json(_ profile: StepProfile) -> JSONValue {
    .object(
      StepProfile.Part.allCases.map { part in
        let cost = profile[part]
        return (
          "\(part)",
          .object([
            ("nanoseconds", .integer(Int(cost.nanoseconds))), ("bytes", .integer(cost.byteCount)),
            ("operations", .integer(cost.operationCount)),
          ])
        )
      })
  }
}
