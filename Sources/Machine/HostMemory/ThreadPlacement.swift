/// How threads of computation are tied to processors.
public enum AffinityChoice: String, CaseIterable, Sendable {
  /// Over several memory nodes, each thread stays on one node; on one node threads go where the system
  /// puts them. Binding to single processors gains nothing where no other program runs, and where one
  /// does, its processor's thread cannot move to a free one and holds up all others.
  case automatic = "auto"
  /// Threads go where the system puts them.
  case none
  /// Each thread stays on one core: for machines that do nothing else, and for measuring.
  case cores
}

/// How many threads compute and where, decided from what the machine has.
public struct ThreadPlacement: Equatable, Sendable {
  public var threadCount: Int
  /// What each thread may run on; empty where the system decides.
  public var processors: [[Int]]
  /// Memory nodes over which weights are spread page by page, since threads of all nodes read them;
  /// empty where there is only one.
  public var interleavedNodes: [Int]

  /// Cores that are this much slower than the fastest are efficiency cores. The fastest of equal cores
  /// differ by up to a tenth in their highest clock, the two kinds by a quarter and more.
  static let slowestShare = 0.85

  /// - Parameters:
  ///   - threadCount: as asked for; nil: one for each performance core, and no more than the quota.
  public init(
    _ topology: ProcessorTopology, threadCount asked: Int? = nil, affinity: AffinityChoice
  ) {
    let cores = ThreadPlacement.cores(topology, atLeast: asked)
    let count = max(1, asked ?? ThreadPlacement.threadCount(cores.count, quota: topology.quota))
    threadCount = count
    let nodes = Set(cores.map(\.node)).sorted()
    let memoryNodes = topology.memoryNodes.filter(nodes.contains)
    interleavedNodes = memoryNodes.count > 1 ? memoryNodes : []
    processors =
      switch affinity {
      case .none: []
      case .cores: ThreadPlacement.onCores(cores, count)
      case .automatic: nodes.count > 1 ? ThreadPlacement.onNodes(nodes, cores, count) : []
      }
  }

  struct Core: Equatable {
    var node: Int
    var processors: [Int]
  }

  /// The performance cores; all cores where more threads are asked for than there are of these.
  private static func cores(_ topology: ProcessorTopology, atLeast asked: Int?) -> [Core] {
    let fastest = topology.processors.map(\.speed).max() ?? 0
    let fast = topology.processors.filter { Double($0.speed) >= slowestShare * Double(fastest) }
    let performance = cores(of: fast)
    guard let asked, asked > performance.count else { return performance }
    return cores(of: topology.processors)
  }

  private static func cores(of processors: [ProcessorTopology.Processor]) -> [Core] {
    var found: [Core] = []
    var indexOf: [Int: Int] = [:]
    for processor in processors {
      if let index = indexOf[processor.core] {
        found[index].processors.append(processor.number)
      } else {
        indexOf[processor.core] = found.count
        found.append(Core(node: processor.node, processors: [processor.number]))
      }
    }
    return found
  }

  /// A quota is rounded to whole threads: with more, all of them stand still for a part of each period;
  /// with fewer, time that is there goes unused.
  private static func threadCount(_ coreCount: Int, quota: Double?) -> Int {
    let quota = min(quota?.rounded() ?? .infinity, 1_024)
    return min(coreCount, max(1, Int(quota)))
  }

  private static func onCores(_ cores: [Core], _ count: Int) -> [[Int]] {
    guard !cores.isEmpty else { return [] }
    // Threads of different nodes take turns, so that few threads use the memory of all nodes.
    let order = spread(Set(cores.map(\.node)).sorted(), cores, count)
    var used: [Int: Int] = [:]
    return order.map { node in
      let own = cores.filter { $0.node == node }
      let index = used[node, default: 0]
      used[node] = index + 1
      return own[index % own.count].processors
    }
  }

  private static func onNodes(_ nodes: [Int], _ cores: [Core], _ count: Int) -> [[Int]] {
    let all = nodes.reduce(into: [Int: [Int]]()) { result, node in
      result[node] = cores.filter { $0.node == node }.flatMap(\.processors).sorted()
    }
    return spread(nodes, cores, count).map { all[$0] ?? [] }
  }

  /// The node of each thread: shares as the nodes have cores, neighbouring threads on one node.
  private static func spread(_ nodes: [Int], _ cores: [Core], _ count: Int) -> [Int] {
    let sizes = nodes.map { node in cores.count { $0.node == node } }
    var given = nodes.map { _ in 0 }
    for _ in 0..<count {
      // The node that would be filled least; (given + 1) / size compared without dividing.
      let next = nodes.indices.min {
        (given[$0] + 1) * sizes[$1] < (given[$1] + 1) * sizes[$0]
      }
      if let next { given[next] += 1 }
    }
    return zip(nodes, given).flatMap { Array(repeating: $0, count: $1) }
  }
}
