import CProfiles
import FoundationEssentials
import Placement
import RoutingTraces

/// The machine profiles and model shapes that a name can mean: those carried in the program and the
/// user's own, `$XDG_CONFIG_HOME/hybrimoe/{machines,hosts,shapes,routing}/NAME.json`.
///
/// A user's file comes before the program's of the same name, so that a figure can be corrected.
struct ProfileCatalog {
  enum Kind: String, CaseIterable {
    case machines, hosts, shapes, routing

    /// One of them, in messages.
    var one: String {
      switch self {
      case .machines: "machine"
      case .hosts: "host"
      case .shapes: "model shape"
      case .routing: "routing"
      }
    }
  }

  /// The folder of the user's own files; nil where the environment names no home.
  let userFolder: String?

  init(environment: [String: String] = Environment.all) {
    userFolder = ConfigurationFile.path(environment: environment).map {
      String($0.dropLast("/config".count))
    }
  }

  /// A machine: a name such as `rtx-4090`, one with a host such as `rtx-4090+ddr4`, or the path of a
  /// file. A name without a host takes the one that the machine's file says.
  ///
  /// - Throws: `CommandFailure` for unknown names; `ProfileError` for wrong files.
  func machine(_ name: String) throws -> MachineProfile {
    let parts =
      Self.isPath(name)
      ? [name]
      : name.split(
        separator: "+", maxSplits: 1, omittingEmptySubsequences: false
      ).map(String.init)
    if parts.count == 2, parts.contains("") {
      throw CommandFailure(
        "'\(name)' lacks the name \(parts[0].isEmpty ? "before" : "after") the '+': a machine is "
          + "written as rtx-4090, or with a host as rtx-4090+ddr4.")
    }
    let (text, file) = try text(.machines, parts[0])
    let (gpu, reference) = try GPUProfile.machine(text: text, file: file)
    if parts.count == 2 { return MachineProfile(gpu: gpu, host: try host(parts[1])) }
    switch reference {
    case .described(let host): return MachineProfile(gpu: gpu, host: host)
    case .named(let host): return MachineProfile(gpu: gpu, host: try self.host(host))
    }
  }

  /// A host, by name or path.
  func host(_ name: String) throws -> HostProfile {
    let (text, file) = try text(.hosts, name)
    return try HostProfile(text: text, file: file)
  }

  /// A model shape, by name or path.
  func shape(_ name: String) throws -> ModelShape {
    let (text, file) = try text(.shapes, name)
    return try ModelShape(text: text, file: file)
  }

  /// The file that a model shape describes, by name or path.
  func outline(_ name: String) throws -> ModelOutline {
    let (text, file) = try text(.shapes, name)
    return try ModelOutline(text: text, file: file)
  }

  /// How a router behaves, by name or path.
  func routing(_ name: String) throws -> RoutingBehavior {
    let (text, file) = try text(.routing, name)
    return try RoutingBehavior(text: text, file: file)
  }

  /// How a shape's router behaves: as the file of the shape's name says, or else the default.
  func routing(of shape: ModelShape?) throws -> RoutingBehavior {
    try routing(shape.map(\.name).flatMap { names(.routing).contains($0) ? $0 : nil } ?? "default")
  }

  /// The names that mean something, sorted.
  func names(_ kind: Kind) -> [String] {
    Set(Self.carried(kind).map(\.name) + userNames(kind)).sorted()
  }

  // MARK: Texts

  private func text(_ kind: Kind, _ name: String) throws -> (text: String, file: String) {
    if Self.isPath(name) {
      guard FileManager.default.fileExists(atPath: name) else {
        throw CommandFailure("There is no file '\(name)'.")
      }
      return (try InputFile.description(name), name)
    }
    if let folder = userFolder, userNames(kind).contains(name) {
      let path = "\(folder)/\(kind.rawValue)/\(name).json"
      return (try InputFile.description(path), path)
    }
    if let carried = Self.carried(kind).first(where: { $0.name == name }) {
      return (carried.text, "\(name).json")
    }
    let known = names(kind)
    let near = Spelling.nearest(to: name, in: known).map { " Is '\($0)' meant?" } ?? ""
    let own = userFolder.map { " Your own belong into \($0)/\(kind.rawValue)/NAME.json." } ?? ""
    throw CommandFailure(
      "There is no \(kind.one) '\(name)'.\(near) Known are \(known.joined(separator: ", ")), or "
        + "the path of a JSON file.\(own)")
  }

  private static func isPath(_ name: String) -> Bool {
    name.contains("/") || name.hasSuffix(".json")
  }

  private func userNames(_ kind: Kind) -> [String] {
    guard let userFolder else { return [] }
    let files =
      (try? FileManager.default.contentsOfDirectory(atPath: "\(userFolder)/\(kind.rawValue)")) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(".json".count)) }
  }

  private static func carried(_ kind: Kind) -> [(name: String, text: String)] {
    // Safety: a constant table of constant texts, each ended by a zero byte.
    var count = 0
    let table = UnsafeBufferPointer(start: hybrimoe_profiles(&count), count: count)
    return table.filter { String(cString: $0.folder) == kind.rawValue }.map {
      (String(cString: $0.name), String(cString: $0.text))
    }
  }
}
