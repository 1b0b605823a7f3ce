import Testing

@testable import HostMemory

/// Limits of containers, as the system writes them.
@Suite struct ControlGroupTests {
  private func groups(_ files: [String: String]) -> ControlGroups {
    ControlGroups(SystemFiles { files[$0] })
  }

  private func available(_ files: [String: String]) -> Int? {
    MemoryStatus.availableBytes(SystemFiles { files[$0] })
  }

  /// Version 2, the process in `/a/b`.
  private static let second = [
    "/proc/self/cgroup": "0::/a/b\n",
    "/proc/self/mountinfo":
      "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
  ]

  /// Version 1 of some controllers, with a hierarchy of version 2 that has none beside it.
  private static let first = [
    "/proc/self/cgroup": "5:cpu,cpuacct:/c\n4:memory:/c/d\n1:name=systemd:/\n0::/\n",
    "/proc/self/mountinfo": """
    31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
    32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
    35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    40 31 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
    """,
  ]

  @Test func `without control groups there are no limits`() {
    #expect(groups([:]).processorQuota == nil && groups([:]).availableBytes == nil)
    #expect(groups(Self.second).processorQuota == nil && groups(Self.second).availableBytes == nil)
  }

  @Test func `the tightest quota of all levels counts`() {
    var files = Self.second
    files["/sys/fs/cgroup/a/b/cpu.max"] = "max 100000\n"
    #expect(groups(files).processorQuota == nil)
    files["/sys/fs/cgroup/a/cpu.max"] = "150000 100000\n"
    #expect(groups(files).processorQuota == 1.5)
    files["/sys/fs/cgroup/cpu.max"] = "50000 100000\n"
    #expect(groups(files).processorQuota == 0.5)
    for wrong in ["", "150000", "0 100000", "a b", "150000 0"] {
      files["/sys/fs/cgroup/cpu.max"] = wrong
      #expect(groups(files).processorQuota == 1.5, "\(wrong)")
    }
  }

  @Test func `a quota of version 1 counts`() {
    var files = Self.first
    files["/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us"] = "250000\n"
    files["/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us"] = "100000\n"
    #expect(groups(files).processorQuota == 2.5)
    files["/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us"] = "-1\n"
    #expect(groups(files).processorQuota == nil)
  }

  @Test func `pages of files count as free, and the fullest level counts`() {
    var files = Self.second
    files["/sys/fs/cgroup/a/b/memory.max"] = "8000\n"
    files["/sys/fs/cgroup/a/b/memory.current"] = "5000\n"
    #expect(groups(files).availableBytes == 3000)
    files["/sys/fs/cgroup/a/b/memory.stat"] =
      "anon 1\nfile 2500\ninactive_file 1500\nactive_file 500\n"
    #expect(groups(files).availableBytes == 5000)
    files["/sys/fs/cgroup/a/memory.max"] = "max\n"
    files["/sys/fs/cgroup/a/memory.current"] = "900000\n"
    #expect(groups(files).availableBytes == 5000)
    files["/sys/fs/cgroup/a/memory.high"] = "901000\n"
    #expect(groups(files).availableBytes == 1000)
    files["/sys/fs/cgroup/a/memory.high"] = "800000\n"
    #expect(groups(files).availableBytes == 0)
  }

  @Test func `memory of version 1 counts with the groups within`() {
    var files = Self.first
    let folder = "/sys/fs/cgroup/memory/c/d/"
    files[folder + "memory.limit_in_bytes"] = "9223372036854771712\n"
    files[folder + "memory.usage_in_bytes"] = "7000\n"
    #expect(groups(files).availableBytes == nil)
    files[folder + "memory.limit_in_bytes"] = "10000\n"
    files[folder + "memory.stat"] =
      "inactive_file 1\nactive_file 1\ntotal_inactive_file 2000\ntotal_active_file 300\n"
    #expect(groups(files).availableBytes == 5300)
  }

  @Test func `a container without a namespace finds its own part of the tree`() {
    var files = Self.second
    files["/proc/self/cgroup"] = "0::/docker/123/inner\n"
    files["/proc/self/mountinfo"] =
      "29 23 0:26 /docker/123 /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
    files["/sys/fs/cgroup/inner/cpu.max"] = "200000 100000\n"
    files["/sys/fs/cgroup/cpu.max"] = "300000 100000\n"
    #expect(groups(files).processorQuota == 2)
    // A path from outside of what is mounted: only what is seen counts.
    files["/proc/self/cgroup"] = "0::/elsewhere\n"
    #expect(groups(files).processorQuota == 3)
  }

  @Test func `available memory is the least of the system's and the container's`() {
    var files = Self.second
    files["/proc/meminfo"] = "MemTotal:       64 kB\nMemAvailable:   20 kB\n"
    #expect(available(files) == 20_480)
    files["/sys/fs/cgroup/memory.max"] = "30000\n"
    files["/sys/fs/cgroup/memory.current"] = "20000\n"
    #expect(available(files) == 10_000)
    #expect(available([:]) == nil)
  }

  @Test func `damaged descriptions are no limits and no traps`() {
    for text in ["", "\n", ":", "::", "0::", "a b c", "1 2 3 4 5 6 - cgroup2", "- - - - - - - -"] {
      for path in ["/proc/self/cgroup", "/proc/self/mountinfo"] {
        var files = Self.second
        files[path] = text
        _ = groups(files).processorQuota
        _ = groups(files).availableBytes
      }
    }
  }
}
