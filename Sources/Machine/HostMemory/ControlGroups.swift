/// The limits that a container or a service manager puts on this process (control groups, version 1
/// and 2).
///
/// A group's limit also binds the groups in it, so that every level from the process's own group up to
/// the root of what is visible counts.
struct ControlGroups {
  private let files: SystemFiles
  /// Folders of the process's groups by controller, the innermost first; the controllers of version 2
  /// are all in the folders of "".
  private var folders: [String: [String]] = [:]

  init(_ files: SystemFiles = .live) {
    self.files = files
    let mounts = ControlGroups.mounts(files.text("/proc/self/mountinfo") ?? "")
    for line in (files.text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      // hierarchy:controllers:path; version 2 has no controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        guard let mount = mounts[String(controller)] else { continue }
        folders[String(controller)] = ControlGroups.levels(of: String(parts[2]), in: mount)
      }
    }
  }

  private struct Mount {
    /// The part of the hierarchy that is mounted.
    var root: String
    /// Where it is.
    var point: String
  }

  /// Where hierarchies are mounted, by controller.
  private static func mounts(_ text: String) -> [String: Mount] {
    var found: [String: Mount] = [:]
    for line in text.split(separator: "\n") {
      // id parent device root point options ... - type source options
      let words = line.split(separator: " ")
      guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3 else {
        continue
      }
      let mount = Mount(root: String(words[3]), point: String(words[4]))
      switch words[dash + 1] {
      case "cgroup2": found[""] = mount
      case "cgroup":
        for option in words[dash + 3].split(separator: ",") { found[String(option)] = mount }
      default: break
      }
    }
    return found
  }

  private static func levels(of path: String, in mount: Mount) -> [String] {
    var names = path.split(separator: "/")
    let root = mount.root.split(separator: "/")
    // Without a namespace of its own a container sees its path from outside, and mounted is the part
    // that is its own.
    if names.starts(with: root) { names.removeFirst(root.count) } else { names = [] }
    var levels: [String] = []
    while true {
      levels.append(([mount.point] + names.map(String.init)).joined(separator: "/"))
      if names.popLast() == nil { return levels }
    }
  }

  /// Processors that may be used at once on average; nil where no group says.
  var processorQuota: Double? {
    var quotas: [Double] = []
    for folder in folders[""] ?? [] {
      let words = (files.firstLine(folder + "/cpu.max") ?? "").split(separator: " ")
      guard words.count == 2, let time = Double(words[0]), let period = Double(words[1])
      else { continue }
      if time > 0, period > 0 { quotas.append(time / period) }
    }
    for folder in folders["cpu"] ?? [] {
      // -1: no limit.
      guard let time = files.number(folder + "/cpu.cfs_quota_us"), time > 0,
        let period = files.number(folder + "/cpu.cfs_period_us"), period > 0
      else { continue }
      quotas.append(Double(time) / Double(period))
    }
    return quotas.min()
  }

  /// Bytes that this process may still take before one of its groups is full; nil where no group has a
  /// limit. Cached pages of files count as free, as in the system's own `MemAvailable`: they are dropped
  /// before a group is full.
  var availableBytes: Int? {
    let second = (folders[""] ?? []).compactMap { folder -> Int? in
      let limits = ["max", "high"].compactMap { files.number(folder + "/memory." + $0) }
      guard let limit = limits.min(), let used = files.number(folder + "/memory.current")
      else { return nil }
      return limit - used + cachedBytes(folder, prefix: "")
    }
    let first = (folders["memory"] ?? []).compactMap { folder -> Int? in
      guard let limit = files.number(folder + "/memory.limit_in_bytes"), limit < 1 << 60,
        let used = files.number(folder + "/memory.usage_in_bytes")
      else { return nil }
      // "total_" counts the groups within, as the usage does.
      return limit - used + cachedBytes(folder, prefix: "total_")
    }
    return (second + first).min().map { max(0, $0) }
  }

  private func cachedBytes(_ folder: String, prefix: String) -> Int {
    let path = folder + "/memory.stat"
    return ["inactive_file", "active_file"].reduce(0) {
      $0 + (files.field(prefix + $1, in: path).flatMap { Int($0) } ?? 0)
    }
  }
}
