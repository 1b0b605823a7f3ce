import ArgumentParser
import OrderedJSON

/// The commands about files that the program made and can make again.
struct Cache: CommandGroup {
  static let configuration = CommandConfiguration(
    abstract: "List and clear the files that --weights cached makes.",
    subcommands: [CacheList.self, CacheClear.self])

  static let laterCommands: [String] = []

  func run() throws {
    throw ValidationError(
      "A command is missing; cache has \(Self.commandNames.joined(separator: ", ")).")
  }

  /// The cache of the user who runs the program.
  static func packedWeights() throws -> PackedWeightsCache {
    guard let folder = CacheFolder.packedWeights(environment: Environment.all) else {
      throw CommandFailure("There is no folder for caches; set XDG_CACHE_HOME or HOME.")
    }
    return PackedWeightsCache(folder: folder)
  }
}

/// Lists the files.
struct CacheList: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the files of packed weights, with their sizes.")

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let cache = try Cache.packedWeights()
    let entries = try cache.entries()
    let total = entries.reduce(0) { $0 + $1.byteCount }
    if looking.json {
      let files = entries.map { entry in
        JSONValue.object([
          ("path", .string(entry.path)), ("model", .string(entry.model)),
          ("bytes", .integer(entry.byteCount)), ("usable", .bool(entry.fault == nil)),
        ])
      }
      let object = JSONValue.object([
        ("folder", .string(cache.folder)), ("files", .array(files)), ("bytes", .integer(total)),
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
    try OutputStream.standardOutput.write(text)
  }
}

/// Takes the files away.
struct CacheClear: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear", abstract: "Remove the files of packed weights.",
    discussion: "A program that uses one keeps it until it ends.")

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let cache = try Cache.packedWeights()
    let entries = try cache.entries()
    try cache.remove(entries)
    let total = entries.reduce(0) { $0 + $1.byteCount }
    if looking.json {
      let object = JSONValue.object([
        ("files", .integer(entries.count)), ("bytes", .integer(total)),
      ])
      return try OutputStream.standardOutput.write(object.text + "\n")
    }
    let files = HumanUnits.counted(entries.count, "file")
    try OutputStream.standardOutput.write("Removed \(files), \(HumanUnits.bytes(total)).\n")
  }
}
