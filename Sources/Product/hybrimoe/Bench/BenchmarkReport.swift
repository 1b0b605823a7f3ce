import CPUCompute
import Inference
import OrderedJSON

/// What `bench` prints.
struct BenchmarkReport {
  let modelName: String
  let architecture: String
  let byteCount: Int
  let bytesPerToken: Int?
  let weightsPerToken: Int?
  let ceilings: Ceilings
  let threadCount: Int
  let instructionSet: String
  let repetitions: Int
  var measurements: [Measurement] = []

  init(_ loaded: LoadedModel, runner: SequenceRunner, ceilings: Ceilings, repetitions: Int) {
    let survey = ModelSurvey(loaded.file)
    modelName = survey.name ?? loaded.file.path
    architecture = loaded.hyperparameters.architecture
    byteCount = survey.total.byteCount
    bytesPerToken = survey.bytesPerToken
    weightsPerToken = survey.weightsPerToken
    self.ceilings = ceilings
    threadCount = runner.compute.threadCount
    instructionSet = runner.compute.instructionSet.rawValue
    self.repetitions = repetitions
  }

  /// Weights read per second while generating, in GB/s.
  private func bandwidth(_ measurement: Measurement) -> Double? {
    guard measurement.name.hasPrefix("tg"), let bytesPerToken else { return nil }
    return Double(bytesPerToken) * measurement.median / 1e9
  }

  /// Multiplications and additions of matrix products per second, in 10⁹. The head's products count
  /// for every token, although only the last one's are computed: an upper estimate for prompts.
  private func gigaflops(_ measurement: Measurement) -> Double? {
    weightsPerToken.map { 2 * Double($0) * measurement.median / 1e9 }
  }

  private func share(_ value: Double?, of ceiling: Double) -> String {
    value.map { HumanUnits.fixed(100 * $0 / max(ceiling, 1e-9), 1) + " %" } ?? ""
  }

  var text: String {
    var table = TextTable([
      ("test", .left), ("tokens/s", .right), ("slowest", .right), ("fastest", .right),
      ("GB/s", .right), ("of reads", .right), ("GOPS", .right), ("of F32 peak", .right),
      ("checksum", .left),
    ])
    for measurement in measurements {
      table.add(
        measurement.name, HumanUnits.fixed(measurement.median, 2),
        HumanUnits.fixed(measurement.slowest, 2), HumanUnits.fixed(measurement.fastest, 2),
        bandwidth(measurement).map { HumanUnits.fixed($0, 2) } ?? "",
        share(bandwidth(measurement), of: ceilings.readGBps),
        gigaflops(measurement).map { HumanUnits.fixed($0, 2) } ?? "",
        share(gigaflops(measurement), of: ceilings.gigaflops),
        hexadecimal(measurement.checksum))
    }
    return
      "\(TerminalText.safe(modelName, width: 60)), \(architecture), \(HumanUnits.bytes(byteCount))\n"
      + "\(Processor.name), \(threadCount) thread\(threadCount == 1 ? "" : "s"), "
      + "\(instructionSet), \(Version.short)\n"
      + "ceilings in this run: reads \(HumanUnits.fixed(ceilings.readGBps, 1)) GB/s, "
      + "F32 \(HumanUnits.fixed(ceilings.gigaflops, 1)) GOPS\n\n" + table.text
  }

  var csv: String {
    var text = "test,tokens,median_tokens_per_second,slowest,fastest,gb_per_second,"
    text += "read_ceiling_gb_per_second,gops,f32_ceiling_gops,checksum\n"
    for measurement in measurements {
      let gigabytes = bandwidth(measurement).map { "\($0)" } ?? ""
      text += "\(measurement.name),\(measurement.tokenCount),\(measurement.median),"
      text += "\(measurement.slowest),\(measurement.fastest),\(gigabytes),"
      text += "\(ceilings.readGBps),\(gigaflops(measurement).map { "\($0)" } ?? ""),"
      text += "\(ceilings.gigaflops),"
      text += hexadecimal(measurement.checksum) + "\n"
    }
    return text
  }

  var json: JSONValue {
    let tests = measurements.map { measurement in
      JSONValue.object([
        ("test", .string(measurement.name)), ("tokens", .integer(measurement.tokenCount)),
        ("tokensPerSecond", .double(measurement.median)),
        ("slowest", .double(measurement.slowest)), ("fastest", .double(measurement.fastest)),
        ("seconds", .array(measurement.seconds.map(JSONValue.double))),
        ("gigabytesPerSecond", bandwidth(measurement).map(JSONValue.double) ?? .null),
        ("gigaflops", gigaflops(measurement).map(JSONValue.double) ?? .null),
        ("checksum", .string(hexadecimal(measurement.checksum))),
      ])
    }
    return .object([
      ("model", .string(modelName)), ("architecture", .string(architecture)),
      ("bytes", .integer(byteCount)), ("bytesPerToken", .optional(bytesPerToken)),
      (
        "ceilings",
        .object([
          ("gigabytesPerSecond", .double(ceilings.readGBps)),
          ("gigaflops", .double(ceilings.gigaflops)),
        ])
      ),
      ("processor", .string(Processor.name)), ("threads", .integer(threadCount)),
      ("instructionSet", .string(instructionSet)), ("version", .string(Version.short)),
      ("repetitions", .integer(repetitions)), ("tests", .array(tests)),
    ])
  }

  private func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
