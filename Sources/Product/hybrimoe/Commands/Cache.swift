import ArgumentParser
import OrderedJSON

/// The commands about files that the program made and can make again.
struct Cache: CommandGroup {
  static let configuration = CommandConfiguration(
    abstract: "List and clear packed weights (--weights cached) and what was learned of machines.",
    subcommands: [CacheList.self, CacheClear.self])

  static let laterCommands: [String] = []

  func run() throws {
    throw ValidationError(
      "A command is missing; cache has \(Self.commandNames.joined(separator: ", ")).")
  }

  /// The caches of the user who runs the program.
  static func all() throws -> (packed: PackedWeightsCache, calibrations: CalibrationCache) {
    guard let packed = CacheFolder.packedWeights(environment: Environment.all),
      let calibrations = CacheFolder.calibrations(environment: Environment.all)
    else {
      throw CommandFailure("There is no folder for caches; set XDG_CACHE_HOME or HOME.")
    }
    return (PackedWeightsCache(folder: packed), CalibrationCache(folder: calibrations))
  }
}

/// Lists the files.
struct CacheList: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the files of packed weights and of calibrations, with their sizes.")

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let (cache, calibrationCache) = try Cache.all()
    let entries = try cache.entries()
    let calibrations = try calibrationCache.entries()
    let total = entries.reduce(0) { $0 + $1.byteCount }
    if looking.json {
      let learned = calibrations.map { entry in
        JSONValue.object([
          ("path", .string(entry.path)), ("title", .string(entry.title)),
          ("bytes", .integer(entry.byteCount)), ("usable", .bool(entry.fault == nil)),
        ])
      }
      let files = entries.map { entry in
        JSONValue.object([
          ("path", .string(entry.path)), ("model", .string(entry.model)),
          ("bytes", .integer(entry.byteCount)), ("usable", .bool(entry.fault == nil)),
        ])
      }
      let object = JSONValue.object([
        ("folder", .string(cache.folder)), ("files", .array(files)), ("bytes", .integer(total)),
        ("calibrationFolder", .string(calibrationCache.folder)), ("calibrations", .array(learned)),
      ])
      return try OutputStream.standardOutput.write(object.text + "\n")
    }
    var text = ""
    for entry in entries {
      let fault = entry.fault.map { " (\($0))" } ?? ""
      let model = TerminalText.safe(entry.model, width: 60)
      text += "\(HumanUnits.bytes(entry.byteCount))  \(model)\(fault)\n"
    }
    let files = HumanUnits.counted(entries.count, "file")
    text += "\(files), \(HumanUnits.bytes(total)) in \(cache.folder)\n"
    for entry in calibrations {
      let fault = entry.fault.map { " (\($0))" } ?? ""
      let title = TerminalText.safe(entry.title, width: 70)
      text += "\(HumanUnits.bytes(entry.byteCount))  \(title)\(fault)\n"
    }
    if !calibrations.isEmpty {
      text += HumanUnits.counted(calibrations.count, "calibration")
      text += " in \(calibrationCache.folder)\n"
    }
    try OutputStream.standardOutput.write(text)
  }
}

/// Takes the files away.
struct CacheClear: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear", abstract: "Remove the files of packed weights and of calibrations.",
    discussion: "A program that uses one keeps it until it ends; calibrations are measured again.")

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let (cache, calibrationCache) = try Cache.all()
    let entries = try cache.entries()
    try cache.remove(entries)
    let calibrations = try calibrationCache.entries()
    try calibrationCache.remove(calibrations)
    let total = entries.reduce(0) { $0 + $1.byteCount }
    if looking.json {
      let object = JSONValue.object([
        ("files", .integer(entries.count)), ("bytes", .integer(total)),
        ("calibrations", .integer(calibrations.count)),
      ])
      return try OutputStream.standardOutput.write(object.text + "\n")
    }
    let files = HumanUnits.counted(entries.count, "file")
    let learned =
      calibrations.isEmpty
      ? "" : " and \(HumanUnits.counted(calibrations.count, "calibration"))"
    try OutputStream.standardOutput.write(
      "Removed \(files), \(HumanUnits.bytes(total))\(learned).\n")
  }
}
