import Testing

@testable import HostMemory

/// What a machine says of itself, as the system writes it.
@Suite struct SystemSurveyTests {
  private func survey(_ files: [String: String]) -> SystemSurvey {
    SystemSurvey(SystemFiles { files[$0] }, ProcessorTopology(processors: []))
  }

  @Test func `a system that says nothing gives a survey that knows nothing`() {
    var nothing = SystemSurvey()
    nothing.processorCount = 0
    #expect(survey([:]) == nothing)
  }

  @Test func `memory, its limits and its pages are read`() {
    let found = survey([
      "/proc/meminfo": "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n",
      "/proc/self/limits": """
      Limit                     Soft Limit           Hard Limit           Units
      Max processes             11                   12                   processes
      Max locked memory         8388608              9388608              bytes
      """,
      "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    ])
    #expect(found.totalMemoryBytes == 1_024_000 && found.systemAvailableBytes == 614_400)
    #expect(found.availableMemoryBytes == 614_400 && found.lockedMemoryBytes == 8_388_608)
    #expect(found.hugePages == "madvise")
    let unlimited = survey([
      "/proc/self/limits": "Max locked memory         unlimited            unlimited    bytes\n"
    ])
    #expect(unlimited.lockedMemoryBytes == nil)
  }

  @Test(arguments: [
    (
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 2024",
      "550.54.14"
    ),
    (
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.64  Release Build  (root@b)",
      "575.64"
    ),
    ("NVRM version: something else", nil), ("1. .2 3..4", nil),
  ])
  func `the version of the driver's module is found`(line: String, version: String?) {
    #expect(
      survey(["/proc/driver/nvidia/version": line + "\nGCC version: 12.2.0"]).nvidiaModule
        == version)
  }

  @Test func `devices by NVIDIA are found on the bus by the maker's number`() {
    let others = "0000\t80860d57\t0\n0008\t1af410de\t0\t10de0000\n"
    #expect(!survey(["/proc/bus/pci/devices": others]).hasNVIDIADevice)
    let card = others + "0100\t10de2204\t92\t        f6000000\n"
    #expect(survey(["/proc/bus/pci/devices": card]).hasNVIDIADevice)
  }

  @Test func `WSL and containers are told from plain Linux`() {
    let plain = survey([
      "/proc/sys/kernel/osrelease": "6.8.0-45-generic\n", "/proc/1/cgroup": "0::/init.scope\n",
    ])
    #expect(!plain.isWSL && !plain.isContainer)
    let release = "5.15.153.1-microsoft-standard-WSL2\n"
    #expect(survey(["/proc/sys/kernel/osrelease": release]).isWSL)
    #expect(
      survey(["/.dockerenv": ""]).isContainer && survey(["/run/.containerenv": ""]).isContainer)
    #expect(survey(["/proc/1/cgroup": "0::/kubepods/besteffort/pod1\n"]).isContainer)
  }

  @Test func `the files of a card are others in WSL`() {
    let release = ["/proc/sys/kernel/osrelease": "5.15-microsoft\n"]
    #expect(
      survey(["/dev/nvidiactl": ""]).hasDeviceFiles && !survey(["/dev/dxg": ""]).hasDeviceFiles)
    #expect(survey(release.merging(["/dev/dxg": ""]) { $1 }).hasDeviceFiles)
  }

  @Test func `a folder can be written where what is above it can`() {
    #expect(Folders.canWrite("/tmp") && Folders.canWrite("/tmp/not/there/yet"))
    #expect(!Folders.canWrite("/proc/self/status/below"), "a file is above")
    #expect(!Folders.canWrite("/proc/self/status"), "it is a file")
    #expect(!Folders.canWrite(""))
  }
}
