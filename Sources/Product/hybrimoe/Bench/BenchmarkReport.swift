import CPUCompute
import Inference
import OrderedJSON

/// What `bench` prints.
struct BenchmarkReport {
  let subject: BenchmarkSubject
  let ceilings: Ceilings
  let threadCount: Int
  let instructionSet: String
  let repetitions: Int
  let measurements: [Measurement]
  /// One for each measurement, where they were asked for.
  var profiles: [StepProfile]?

  init(
    _ subject: BenchmarkSubject, compute: CPUBackend, ceilings: Ceilings, repetitions: Int,
    measurements: [Measurement], profiles: [StepProfile]? = nil
  ) {
    self.subject = subject
    self.ceilings = ceilings
    threadCount = compute.threadCount
    instructionSet = compute.instructionSet.rawValue
    self.repetitions = repetitions
    self.measurements = measurements
    self.profiles = profiles
  }

  /// A value's share of a ceiling, for people.
  static func share(_ value: Double, of ceiling: Double?) -> String {
    guard let ceiling else { return "–" }
    return HumanUnits.fixed(100 * value / max(ceiling, 1e-9), 1) + " %"
  }

  /// What the ceilings are, for people.
  static func words(_ ceilings: Ceilings) -> String {
    let int8 = ceilings.int8GOPS.map { HumanUnits.fixed($0, 0) + " GOPS" }
    return "ceilings in this run: reads \(HumanUnits.fixed(ceilings.readGBps, 1)) GB/s, int8 "
      + "\(int8 ?? "unknown in plain C"), "
      + "F32 \(HumanUnits.fixed(ceilings.floatGOPS, 0)) GOPS\n"
  }

  /// The machine and the program, for people.
  static func words(threadCount: Int, instructionSet: String) -> String {
    "\(Processor.name), \(HumanUnits.counted(threadCount, "thread")), \(instructionSet), "
      + "\(Version.short)\n"
  }

  var text: String {
    var table = TextTable([
      ("test", .left), ("tokens/s", .right), ("slowest", .right), ("fastest", .right),
      ("GB/s", .right), ("of reads", .right), ("GOPS", .right), ("of int8 peak", .right),
      ("checksum", .left),
    ])
    for measurement in measurements {
      table.add(
        measurement.test.name, HumanUnits.fixed(measurement.median, 2),
        HumanUnits.fixed(measurement.slowest, 2), HumanUnits.fixed(measurement.fastest, 2),
        HumanUnits.fixed(measurement.readGBps, 2),
        Self.share(measurement.readGBps, of: ceilings.readGBps),
        HumanUnits.fixed(measurement.productGOPS, 1),
        Self.share(measurement.productGOPS, of: ceilings.productGOPS),
        Self.hexadecimal(measurement.checksum))
    }
    let architecture = subject.model.hyperparameters.architecture
    return
      "\(TerminalText.safe(subject.name, width: 60)), \(architecture), "
      + "\(HumanUnits.bytes(subject.survey.total.byteCount))\n"
      + subject.notes.map { $0 + "\n" }.joined()
      + Self.words(threadCount: threadCount, instructionSet: instructionSet)
      + Self.words(ceilings) + "\n" + table.text + estimates
      + (profiles.map { ProfileText(measurements, $0, ceilings, threadCount).text } ?? "")
  }

  /// What the whole model would do, where layers were left out.
  private var estimates: String {
    guard let whole = subject.whole else { return "" }
    let words = measurements.map {
      "\($0.test.name) \(HumanUnits.fixed(whole.estimate($0), 2))"
    }
    return "\nestimate, not measured, for all \(whole.layerCount) layers, by bytes and operations: "
      + words.joined(separator: ", ") + " tokens/s\n"
  }

  var csv: String {
    var text = "test,tokens,median_tokens_per_second,slowest,fastest,gb_per_second,"
    text += "read_ceiling_gb_per_second,gops,int8_ceiling_gops,f32_ceiling_gops,checksum\n"
    for measurement in measurements {
      text += "\(measurement.test.name),\(measurement.test.tokenCount),\(measurement.median),"
      text += "\(measurement.slowest),\(measurement.fastest),\(measurement.readGBps),"
      text += "\(ceilings.readGBps),\(measurement.productGOPS),"
      text += "\(ceilings.int8GOPS.map { "\($0)" } ?? ""),\(ceilings.floatGOPS),"
      text += Self.hexadecimal(measurement.checksum) + "\n"
    }
    return text
  }

  var json: JSONValue {
    .object([
      ("model", .string(subject.name)),
      ("architecture", .string(subject.model.hyperparameters.architecture)),
      ("bytes", .integer(subject.survey.total.byteCount)),
      ("bytesPerToken", .optional(subject.survey.bytesPerToken)),
      ("notes", .array(subject.notes.map(JSONValue.string))),
      ("ceilings", Self.json(ceilings)),
      ("processor", .string(Processor.name)), ("threads", .integer(threadCount)),
      ("instructionSet", .string(instructionSet)), ("version", .string(Version.short)),
      ("repetitions", .integer(repetitions)),
      ("tests", .array(measurements.indices.map(testJSON))),
    ])
  }

  private func testJSON(_ index: Int) -> JSONValue {
    let measurement = measurements[index]
    return .object(
      [
        ("test", .string(measurement.test.name)),
        ("tokens", .integer(measurement.test.tokenCount)),
        ("tokensPerSecond", .double(measurement.median)),
        (
          "estimatedTokensPerSecondOfWhole",
          subject.whole.map { .double($0.estimate(measurement)) } ?? .null
        ),
        ("slowest", .double(measurement.slowest)), ("fastest", .double(measurement.fastest)),
        ("seconds", .array(measurement.seconds.map(JSONValue.double))),
        ("gigabytesPerSecond", .double(measurement.readGBps)),
        ("gigaoperationsPerSecond", .double(measurement.productGOPS)),
        ("checksum", .string(Self.hexadecimal(measurement.checksum))),
      ] + (profiles.map { [("parts", ProfileText.json($0[index]))] } ?? []))
  }

  static func json(_ ceilings: Ceilings) -> JSONValue {
    .object([
      ("gigabytesPerSecond", .double(ceilings.readGBps)),
      ("int8GigaoperationsPerSecond", ceilings.int8GOPS.map(JSONValue.double) ?? .null),
      ("floatGigaoperationsPerSecond", .double(ceilings.floatGOPS)),
    ])
  }

  static func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
