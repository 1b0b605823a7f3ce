import Glibc

/// The processors that this process may use, and how they hang together.
public struct ProcessorTopology: Equatable, Sendable {
  /// What the system schedules on: a core, or one of its hyper-threads.
  public struct Processor: Equatable, Sendable {
    public var number: Int
    /// The same for the hyper-threads of one core and for nothing else.
    public var core: Int
    /// The memory node that it is near to.
    public var node: Int
    /// How fast it is beside the others of this machine, in a unit of the system's own.
    public var speed: Int

    public init(number: Int, core: Int, node: Int = 0, speed: Int = 1024) {
      self.number = number
      self.core = core
      self.node = node
      self.speed = speed
    }
  }

  /// Those of the affinity mask, by number.
  public var processors: [Processor]
  /// Memory nodes that this process may take memory from.
  public var memoryNodes: [Int]
  /// Processors that a container may use at once on average; nil: as many as there are.
  public var quota: Double?

  public init(processors: [Processor], memoryNodes: [Int] = [0], quota: Double? = nil) {
    self.processors = processors
    self.memoryNodes = memoryNodes
    self.quota = quota
  }

  /// That of the running system.
  public static func current() -> ProcessorTopology {
    let online = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    return ProcessorTopology(.live, processorCount: online)
  }

  /// - Parameter processorCount: how many there are where no mask can be had.
  init(_ files: SystemFiles, processorCount: Int) {
    let status = "/proc/self/status"
    let allowed =
      files.field("Cpus_allowed_list:", in: status).flatMap(SystemFiles.numbers) ?? []
    let numbers = allowed.isEmpty ? Array(0..<processorCount) : allowed
    let base = "/sys/devices/system/"
    let nodes = files.list(base + "node/online") ?? [0]
    var nodeOf: [Int: Int] = [:]
    for node in nodes {
      for number in files.list(base + "node/node\(node)/cpulist") ?? [] { nodeOf[number] = node }
    }
    // Capacities where they tell processors apart (they know what a core does per cycle), else clocks.
    let capacities = numbers.map { files.number(base + "cpu/cpu\($0)/cpu_capacity") }
    let speeds =
      Set(capacities).count > 1
      ? capacities
      : numbers.map { files.number(base + "cpu/cpu\($0)/cpufreq/cpuinfo_max_freq") }
    var cores: [String: Int] = [:]
    processors = numbers.indices.map { index in
      let number = numbers[index]
      let topology = base + "cpu/cpu\(number)/topology/"
      let package = files.firstLine(topology + "physical_package_id") ?? "?"
      let die = files.firstLine(topology + "die_id") ?? "?"
      let name = files.firstLine(topology + "core_id") ?? "cpu\(number)"
      let next = cores.count
      let core = cores["\(package):\(die):\(name)", default: next]
      cores["\(package):\(die):\(name)"] = core
      return Processor(
        number: number, core: core, node: nodeOf[number] ?? nodes.first ?? 0,
        speed: speeds[index] ?? 0)
    }
    // Where nothing is said of a processor, it counts as the slowest that is known, not as slower.
    let known = processors.map(\.speed).filter { $0 > 0 }.min() ?? 1024
    for index in processors.indices where processors[index].speed <= 0 {
      processors[index].speed = known
    }
    memoryNodes =
      files.field("Mems_allowed_list:", in: status).flatMap(SystemFiles.numbers)
      .map { $0.filter(nodes.contains) } ?? nodes
    quota = ControlGroups(files).processorQuota
  }
}
