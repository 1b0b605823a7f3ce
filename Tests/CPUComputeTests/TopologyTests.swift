import Testing

@testable import HostMemory

/// Machines that are made up, and what is decided for them.
@Suite struct TopologyTests {
  /// Cores one after the other, each with its hyper-threads; hyper-threads of a core are numbered
  /// `coreCount` apart, as the system does.
  private func machine(
    cores coreCount: Int, threadsPerCore: Int = 1, nodes: Int = 1, slowCores: Range<Int> = 0..<0,
    mask: (Int) -> Bool = { _ in true }, quota: Double? = nil
  ) -> ProcessorTopology {
    let processors = (0..<coreCount * threadsPerCore).filter(mask).map { number in
      let core = number % coreCount
      return ProcessorTopology.Processor(
        number: number, core: core, node: core * nodes / coreCount,
        speed: slowCores.contains(core) ? 4_300_000 : 5_800_000)
    }
    return ProcessorTopology(processors: processors, memoryNodes: Array(0..<nodes), quota: quota)
  }

  private func placement(
    _ topology: ProcessorTopology, threads: Int? = nil, _ affinity: AffinityChoice = .automatic
  ) -> ThreadPlacement {
    ThreadPlacement(topology, threadCount: threads, affinity: affinity)
  }

  @Test func `one node: a thread for each core, none of them bound`() {
    let found = placement(machine(cores: 8))
    #expect(found == placement(machine(cores: 8), AffinityChoice.none))
    #expect(found.threadCount == 8)
    #expect(found.processors.isEmpty && found.interleavedNodes.isEmpty)
  }

  @Test func `hyper-threads of a core count once, and a bound thread has both`() {
    let found = placement(machine(cores: 4, threadsPerCore: 2), .cores)
    #expect(found.threadCount == 4)
    #expect(found.processors == [[0, 4], [1, 5], [2, 6], [3, 7]])
  }

  @Test func `two nodes: threads stay on their node, weights lie on both`() {
    let found = placement(machine(cores: 4, threadsPerCore: 2, nodes: 2))
    #expect(found.threadCount == 4)
    #expect(found.processors == [[0, 1, 4, 5], [0, 1, 4, 5], [2, 3, 6, 7], [2, 3, 6, 7]])
    #expect(found.interleavedNodes == [0, 1])
    let free = placement(machine(cores: 4, nodes: 2), AffinityChoice.none)
    #expect(free.processors.isEmpty && free.interleavedNodes == [0, 1])
  }

  @Test func `few threads are spread over all nodes`() {
    let found = placement(machine(cores: 16, nodes: 4), threads: 4, .cores)
    #expect(found.processors == [[0], [4], [8], [12]])
  }

  @Test func `nodes get threads as they have cores`() {
    // Node 0 has two processors in the mask, node 1 has six.
    let found = placement(machine(cores: 12, nodes: 2, mask: { $0 >= 4 }), threads: 4)
    #expect(found.processors.map { $0.contains(4) } == [true, false, false, false])
    #expect(found.processors[0] == [4, 5] && found.processors[3] == [6, 7, 8, 9, 10, 11])
  }

  @Test func `efficiency cores are left out, unless more threads are asked for`() {
    let hybrid = machine(cores: 12, slowCores: 4..<12)
    #expect(placement(hybrid).threadCount == 4)
    #expect(placement(hybrid, .cores).processors == [[0], [1], [2], [3]])
    #expect(placement(hybrid, threads: 3, .cores).processors == [[0], [1], [2]])
    #expect(placement(hybrid, threads: 6, .cores).processors == (0..<6).map { [$0] })
    // A mask of efficiency cores only leaves these.
    #expect(placement(machine(cores: 12, slowCores: 4..<12, mask: { $0 >= 4 })).threadCount == 8)
  }

  @Test func `cores whose clocks differ by a tenth are of one kind`() {
    var topology = machine(cores: 4)
    topology.processors[3].speed = 5_250_000
    #expect(placement(topology).threadCount == 4)
  }

  @Test(arguments: [(0.1, 1), (1, 1), (1.4, 1), (1.5, 2), (3.6, 4), (100, 8), (1e30, 8)])
  func `a quota is rounded to whole threads`(quota: Double, threads: Int) {
    #expect(placement(machine(cores: 8, quota: quota)).threadCount == threads)
  }

  @Test func `a mask of odd processors is kept`() {
    let found = placement(machine(cores: 8, mask: { $0 % 2 == 1 }), .cores)
    #expect(found.processors == [[1], [3], [5], [7]])
  }

  @Test func `more threads than cores share them`() {
    let found = placement(machine(cores: 2), threads: 5, .cores)
    #expect(found.threadCount == 5)
    #expect(found.processors.count == 5 && found.processors.allSatisfy { $0 == [0] || $0 == [1] })
  }

  @Test func `what is asked for is given, whatever the quota`() {
    #expect(placement(machine(cores: 8, quota: 1), threads: 7).threadCount == 7)
  }

  @Test func `every thread of every machine has a processor that may be used`() {
    for coreCount in 1...6 {
      for nodes in 1...min(3, coreCount) {
        for slow in 0...coreCount {
          for mask in 1..<(1 << coreCount) {
            let topology = machine(
              cores: coreCount, threadsPerCore: 2, nodes: nodes, slowCores: 0..<slow,
              mask: { mask >> ($0 % coreCount) & 1 == 1 })
            let allowed = Set(topology.processors.map(\.number))
            for affinity in AffinityChoice.allCases {
              for threads in [Int?.none, 1, 3, 9] {
                let found = placement(topology, threads: threads, affinity)
                let isWhole =
                  found.processors.isEmpty || found.processors.count == found.threadCount
                let isAllowed = found.processors.allSatisfy {
                  !$0.isEmpty && allowed.isSuperset(of: $0)
                }
                let asked = threads ?? found.threadCount
                guard isWhole, isAllowed, asked == found.threadCount, asked > 0 else {
                  Issue.record("\(topology), \(affinity), \(asked) threads: \(found)")
                  return
                }
              }
            }
          }
        }
      }
    }
  }

  // What the system writes.

  private static let twoNodes: [String: String] = {
    var files = [
      "/proc/self/status": "Name:\tx\nCpus_allowed_list:\t1,3,5-7\nMems_allowed_list:\t0-1\n",
      "/sys/devices/system/node/online": "0-1\n",
      "/sys/devices/system/node/node0/cpulist": "0-3\n",
      "/sys/devices/system/node/node1/cpulist": "4-7\n",
    ]
    for number in 0..<8 {
      let folder = "/sys/devices/system/cpu/cpu\(number)/"
      files[folder + "topology/physical_package_id"] = "\(number / 4)\n"
      // Hyper-threads are neighbours: 0 and 1, 2 and 3.
      files[folder + "topology/core_id"] = "\(number % 4 / 2)\n"
      files[folder + "cpufreq/cpuinfo_max_freq"] = "3400000\n"
    }
    return files
  }()

  private func topology(_ files: [String: String]) -> ProcessorTopology {
    ProcessorTopology(SystemFiles { files[$0] }, processorCount: 3)
  }

  @Test func `processors, cores and nodes are read as the system writes them`() {
    let found = topology(Self.twoNodes)
    #expect(found.processors.map(\.number) == [1, 3, 5, 6, 7])
    #expect(found.processors.map(\.node) == [0, 0, 1, 1, 1])
    #expect(found.processors.map(\.core) == [0, 1, 2, 3, 3])
    #expect(found.memoryNodes == [0, 1] && found.quota == nil)
    #expect(placement(found).threadCount == 4)
  }

  @Test func `capacities tell the kinds of cores apart before clocks do`() {
    var files = Self.twoNodes
    for number in 0..<8 {
      files["/sys/devices/system/cpu/cpu\(number)/cpu_capacity"] = number < 6 ? "1024\n" : "446\n"
    }
    #expect(topology(files).processors.map(\.speed) == [1024, 1024, 1024, 446, 446])
    // Equal capacities say nothing.
    for number in 0..<8 { files["/sys/devices/system/cpu/cpu\(number)/cpu_capacity"] = "1024\n" }
    #expect(topology(files).processors.map(\.speed) == Array(repeating: 3_400_000, count: 5))
  }

  @Test func `a system that tells nothing has equal cores on one node`() {
    let found = topology([:])
    #expect(found.processors.map(\.number) == [0, 1, 2])
    #expect(placement(found) == placement(machine(cores: 3)))
    var files = Self.twoNodes
    files["/proc/self/status"] = "Cpus_allowed_list:\t1-\n"
    #expect(topology(files).processors.map(\.number) == [0, 1, 2])
  }

  @Test func `memory nodes that are not allowed are not used`() {
    var files = Self.twoNodes
    files["/proc/self/status"] = "Cpus_allowed_list:\t0-7\nMems_allowed_list:\t1\n"
    let found = placement(topology(files))
    #expect(found.interleavedNodes.isEmpty && found.processors.count == 4)
  }

  @Test func `this machine has threads that can be bound and set free`() throws {
    let before = try #require(Affinity.ofThisThread())
    try Affinity.bindThisThread(to: [before[0]])
    #expect(Affinity.ofThisThread() == [before[0]])
    try Affinity.bindThisThread(to: before)
    #expect(Affinity.ofThisThread() == before)
    #expect(throws: HostMemoryError.self) { try Affinity.bindThisThread(to: [65_000]) }
    #expect(throws: HostMemoryError.self) { try Affinity.bindThisThread(to: []) }
  }
}
