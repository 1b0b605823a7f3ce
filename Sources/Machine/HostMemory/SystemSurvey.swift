/// What the system says of itself that decides how well a model runs on it.
public struct SystemSurvey: Sendable, Equatable {
  /// Bytes of memory that the machine has; nil where the system does not say.
  public var totalMemoryBytes: Int?
  /// Bytes that can be had now, within what a container allows.
  public var availableMemoryBytes: Int?
  /// Bytes that the machine as a whole could give now, whatever a container allows.
  public var systemAvailableBytes: Int?
  /// Processors that this process may run on, and cores that are worth a thread each.
  public var processorCount = 1
  public var coreCount = 1
  /// Processors that a container may use at once on average.
  public var processorQuota: Double?
  public var memoryNodeCount = 1
  /// When the system gives large pages by itself: `always`, `madvise` or `never`; nil where it has none.
  public var hugePages: String?
  /// Bytes that this process may lock by the system's own call; nil: no limit.
  public var lockedMemoryBytes: Int?
  /// Whether this is a Linux within Windows.
  public var isWSL = false
  /// Whether a container is around this process.
  public var isContainer = false
  /// The version of NVIDIA's module in the kernel, such as `550.54.14`; nil where it is not loaded.
  public var nvidiaModule: String?
  /// Whether a device by NVIDIA is on the PCI bus, graphics card or not.
  public var hasNVIDIADevice = false
  /// Whether there are files through which programs speak to a graphics card.
  public var hasDeviceFiles = false

  /// A machine of which nothing is known.
  public init() {}

  /// That of the running system.
  public static func current() -> SystemSurvey {
    SystemSurvey(.live, .current())
  }

  init(_ files: SystemFiles, _ topology: ProcessorTopology) {
    let bytes = { (key: String) in
      files.field(key, in: "/proc/meminfo").flatMap { Int($0) }.map { $0 * 1024 }
    }
    totalMemoryBytes = bytes("MemTotal:")
    systemAvailableBytes = bytes("MemAvailable:")
    availableMemoryBytes = MemoryStatus.availableBytes(files)
    processorCount = topology.processors.count
    coreCount = ThreadPlacement(topology, affinity: .none).threadCount
    processorQuota = topology.quota
    memoryNodeCount = topology.memoryNodes.count
    hugePages = Self.bracketed(
      files.firstLine("/sys/kernel/mm/transparent_hugepage/enabled") ?? "")
    lockedMemoryBytes = Self.lockedMemory(files.text("/proc/self/limits") ?? "")
    let release = files.firstLine("/proc/sys/kernel/osrelease") ?? ""
    isWSL = release.lowercased().contains("microsoft")
    let group = files.text("/proc/1/cgroup") ?? ""
    isContainer =
      files.exists("/.dockerenv") || files.exists("/run/.containerenv")
      || ["docker", "kubepods", "containerd", "lxc"].contains { group.contains($0) }
    nvidiaModule = Self.moduleVersion(files.firstLine("/proc/driver/nvidia/version") ?? "")
    hasNVIDIADevice = Self.hasNVIDIADevice(files.text("/proc/bus/pci/devices") ?? "")
    hasDeviceFiles = files.exists(isWSL ? "/dev/dxg" : "/dev/nvidiactl")
  }

  /// The word in brackets, as in `always [madvise] never`.
  private static func bracketed(_ line: String) -> String? {
    line.split(separator: " ").first { $0.hasPrefix("[") && $0.hasSuffix("]") }
      .map { String($0.dropFirst().dropLast()) }
  }

  /// The soft limit of `Max locked memory   8388608   8388608   bytes`.
  private static func lockedMemory(_ text: String) -> Int? {
    let mark = "Max locked memory"
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(mark) }) else {
      return nil
    }
    return line.dropFirst(mark.count).split(separator: " ").first.flatMap { Int($0) }
  }

  /// The first word that is a version, as in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu ...`.
  private static func moduleVersion(_ line: String) -> String? {
    line.split(separator: " ").first { word in
      let parts = word.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count >= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
    }.map(String.init)
  }

  /// Whether a line's second word, vendor and device as eight hexadecimal digits, begins with NVIDIA's number.
  private static func hasNVIDIADevice(_ text: String) -> Bool {
    text.split(separator: "\n").contains { line in
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 && words[1].lowercased().hasPrefix("10de")
    }
  }
}
