import Devices
import OrderedJSON

extension DoctorReport {
  var json: JSONValue {
    .object([
      ("version", .string(Version.short)), ("processor", processorJSON), ("memory", memoryJSON),
      ("system", systemJSON), ("driver", driverJSON),
      ("devices", .array(findings.devices.map(Self.json))),
      ("caches", .array(findings.folders.map(Self.json))),
      (
        "advice",
        .array(
          advice.map {
            .object([
              ("level", .string($0.level.rawValue)), ("finding", .string($0.finding)),
              ("remedy", .string($0.remedy)),
            ])
          })
      ),
    ])
  }

  private var processorJSON: JSONValue {
    let survey = findings.survey
    return .object([
      ("name", .string(findings.processor)),
      ("features", .array(findings.features.map(JSONValue.string))),
      ("instructionSet", .string(findings.instructionSet)),
      ("instructionSets", .array(findings.instructionSets.map(JSONValue.string))),
      ("cores", .integer(survey.coreCount)), ("processors", .integer(survey.processorCount)),
      ("quota", survey.processorQuota.map(JSONValue.double) ?? .null),
      ("memoryNodes", .integer(survey.memoryNodeCount)),
      ("threads", .optional(findings.host?.threadCount)),
      ("readGigabytesPerSecond", findings.host.map { .double($0.readGBps) } ?? .null),
      ("int8GigaoperationsPerSecond", findings.host?.int8GOPS.map(JSONValue.double) ?? .null),
      ("floatGigaoperationsPerSecond", findings.host.map { .double($0.floatGOPS) } ?? .null),
    ])
  }

  private var memoryJSON: JSONValue {
    let survey = findings.survey
    return .object([
      ("totalBytes", .optional(survey.totalMemoryBytes)),
      ("availableBytes", .optional(survey.availableMemoryBytes)),
      ("hugePages", .optional(survey.hugePages)),
      ("lockedLimitBytes", .optional(survey.lockedMemoryBytes)),
    ])
  }

  private var systemJSON: JSONValue {
    .object([
      ("isWSL", .bool(findings.survey.isWSL)), ("isContainer", .bool(findings.survey.isContainer)),
    ])
  }

  private var driverJSON: JSONValue {
    .object([
      ("module", .optional(findings.survey.nvidiaModule)),
      (
        "cuda",
        .optional(
          findings.devices.first { !$0.properties.isEmulated }?.properties.driverVersion)
      ),
      ("failure", .optional(findings.driverFailure.map { "\($0)" })),
    ])
  }

  private static func json(_ device: DeviceFinding) -> JSONValue {
    let properties = device.properties
    return .object([
      ("device", .string(device.name)), ("name", .string(properties.name)),
      ("isEmulated", .bool(properties.isEmulated)),
      ("totalBytes", .integer(properties.totalByteCount)),
      ("freeBytes", .optional(device.freeByteCount)),
      ("computeCapability", .string("\(properties.major).\(properties.minor)")),
      ("multiprocessors", .integer(properties.multiprocessorCount)),
      ("waitsForMemory", .bool(properties.waitsForMemory)),
      ("failure", .optional(device.failure.map { "\($0)" })),
      ("measured", device.speeds.map(json) ?? .null),
    ])
  }

  private static func json(_ speeds: DeviceSpeeds) -> JSONValue {
    .object([
      ("kernelSeconds", .double(speeds.kernelSeconds)),
      ("pinned", speeds.pinned.map(json) ?? .null),
      ("pinningFailure", .optional(speeds.pinningFailure)), ("pageable", json(speeds.pageable)),
      ("submitMicroseconds", .double(speeds.submitMicroseconds)),
      ("launchMicroseconds", .double(speeds.launchMicroseconds)),
      ("handshakeMicroseconds", .double(speeds.handshakeMicroseconds)),
    ])
  }

  private static func json(_ figures: LinkFigures) -> JSONValue {
    .object([
      ("gigabytesPerSecond", .double(figures.aloneGBps)),
      ("besideReadingGigabytesPerSecond", .double(figures.besideReadingGBps)),
      ("readGigabytesPerSecond", .double(figures.readGBps)),
    ])
  }

  private static func json(_ folder: FolderFinding) -> JSONValue {
    .object([
      ("purpose", .string(folder.purpose)), ("path", .optional(folder.path)),
      ("isWritable", .bool(folder.isWritable)),
    ])
  }
}
