import Devices
import Foundation
import HostMemory
import Testing

@testable import hybrimoe

/// Machines of which nothing is at hand but their findings.
@Suite struct `The doctor's advice` {
  private func advice(_ change: (inout Findings) -> Void) -> [Advice] {
    var findings = Findings()
    findings.instructionSet = "avx2"
    findings.survey.totalMemoryBytes = 32 << 30
    findings.survey.availableMemoryBytes = 24 << 30
    findings.survey.systemAvailableBytes = 24 << 30
    findings.survey.hugePages = "madvise"
    findings.folders = [FolderFinding(purpose: "packed weights", path: "/c", isWritable: true)]
    change(&findings)
    return Diagnosis(findings: findings).advice
  }

  private static let card = DeviceFinding(
    name: "cuda:0",
    properties: DeviceProperties(
      name: "RTX", totalByteCount: 24 << 30, multiprocessorCount: 82, major: 8, minor: 6,
      driverVersion: "12.4", waitsForMemory: true, isEmulated: false),
    freeByteCount: 23 << 30,
    speeds: DeviceSpeeds(
      kernelSeconds: 1,
      pinned: LinkFigures(aloneGBps: 25, besideReadingGBps: 20, readGBps: 40),
      pageable: LinkFigures(aloneGBps: 9, besideReadingGBps: 5, readGBps: 40),
      submitMicroseconds: 2, launchMicroseconds: 2, handshakeMicroseconds: 9))

  @Test func `a machine that lacks nothing gets none`() {
    #expect(advice { $0.devices = [Self.card] } == [])
  }

  @Test(arguments: [
    ("plain", Advice.Level.hint, "the CPU computes everything"),
    ("container", .hint, "--gpus all"), ("container with a module", .problem, "--gpus all"),
    ("module", .problem, "libraries of the same version"), ("card", .problem, "Install the driver"),
    ("WSL", .hint, "Install NVIDIA's driver in Windows"),
    ("WSL with a card", .problem, "wsl --update"),
  ])
  func `a missing driver is a problem only where there is a card`(
    machine: String, level: Advice.Level, words: String
  ) {
    let found = advice {
      $0.driverFailure = .noDriver(detail: "libcuda.so.1 is not there")
      $0.survey.isContainer = machine.hasPrefix("container")
      $0.survey.isWSL = machine.hasPrefix("WSL")
      $0.survey.hasDeviceFiles = machine == "WSL with a card"
      $0.survey.nvidiaModule = machine.hasSuffix("module") ? "550.54.14" : nil
      $0.survey.hasNVIDIADevice = machine == "card"
    }
    #expect(found.map(\.level) == [level])
    #expect(found.first?.finding.contains("libcuda.so.1 is not there") == true)
    #expect(found.first?.remedy.contains(words) == true, "\(found)")
  }

  @Test func `a driver that is too old is to be updated to a branch that is served`() {
    let found = advice { $0.driverFailure = .driverTooOld(found: "11.4", needed: "12.1") }
    #expect(found.map(\.level) == [.problem] && found[0].remedy.contains("535"))
    #expect(
      ["11.8", "12.1", "12.3", "12.6", "12.9", "13.0"].map(DriverDiagnosis.branch)
        == ["535", "535", "550", "570", "580", "580"])
  }

  @Test func `a driver without a device says what hides it`() {
    let hidden = advice {
      $0.driverFailure = .noDevice(asked: nil, found: 0)
      $0.visibleDevices = "7"
    }
    #expect(hidden.first?.finding.contains("CUDA_VISIBLE_DEVICES is '7'") == true)
    let container = advice {
      $0.driverFailure = .noDevice(asked: nil, found: 0)
      $0.survey.isContainer = true
    }
    #expect(container.first?.remedy.contains("nvidia-container-toolkit") == true)
    let other = advice { $0.driverFailure = .noDevice(asked: 3, found: 2) }
    #expect(other.first?.remedy == "Choose one from cuda:0 to cuda:1.")
  }

  @Test(arguments: [
    ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, x", "restart"), ("CUDA_ERROR_UNKNOWN, x", "nvidia_uvm"),
    ("CUDA_ERROR_SYSTEM_NOT_READY", "nvidia-fabricmanager"), ("CUDA_ERROR_OTHER", "nvidia-smi"),
  ])
  func `a driver that does not start has known reasons`(reason: String, words: String) {
    let found = advice { $0.driverFailure = .refused(operation: "starting", reason: reason) }
    #expect(found.map(\.level) == [.problem])
    #expect(found.first?.remedy.contains(words) == true, "\(found)")
  }

  @Test(arguments: [
    ("plain", "pinned"), ("limited", "ulimit -l"), ("container", "--ulimit memlock"),
    ("WSL", ".wslconfig"),
  ])
  func `memory that cannot be pinned says what limits it here`(machine: String, words: String) {
    let found = advice {
      $0.devices = [Self.card]
      $0.devices[0].speeds?.pinned = nil
      $0.devices[0].speeds?.pinningFailure = "out of memory"
      $0.survey.isContainer = machine == "container"
      $0.survey.isWSL = machine == "WSL"
      $0.survey.lockedMemoryBytes = machine == "limited" ? 65536 : nil
    }
    #expect(found.map(\.level) == [.problem])
    #expect(found.first?.remedy.contains(words) == true, "\(found)")
  }

  @Test func `a card that is full, slow or cannot wait is a hint each`() {
    let found = advice {
      $0.devices = [Self.card]
      $0.devices[0].freeByteCount = 2 << 30
      $0.devices[0].speeds?.pinned?.aloneGBps = 3.1
      $0.devices[0].properties.waitsForMemory = false
    }
    #expect(found.map(\.level) == [.hint, .hint, .hint])
    #expect(found[0].finding == "Only 2.15 GB of 25.8 GB are free on cuda:0.")
    #expect(found[1].finding.contains("3.1 GB/s") && found[2].finding.contains("cannot wait"))
  }

  @Test func `an emulated device and one that failed are judged by nothing else`() {
    let emulated = advice {
      $0.devices = [Self.card]
      $0.devices[0].properties.isEmulated = true
      $0.devices[0].speeds?.pinned?.aloneGBps = 0.1
    }
    #expect(emulated == [])
    let lost = advice {
      $0.devices = [Self.card]
      $0.devices[0].failure = .lost(device: "RTX", reason: "it fell off the bus")
      $0.devices[0].speeds = nil
    }
    #expect(lost.map(\.level) == [.problem] && lost[0].finding.contains("fell off the bus"))
  }

  @Test func `problems come before hints`() {
    let found = advice {
      $0.survey.hugePages = "never"
      $0.survey.processorCount = 16
      $0.survey.processorQuota = 2
      $0.instructionSet = "portable"
      $0.survey.availableMemoryBytes = 1 << 30
      $0.hostFailure = "no memory"
      $0.folders = [FolderFinding(purpose: "packed weights", path: nil, isWritable: false)]
    }
    #expect(found.map(\.level) == [.problem, .problem, .hint, .hint, .hint, .hint])
    let words = [
      "could not be measured", "no folder", "plain C", "2.0 of 16", "1.07 GB of the", "huge",
    ]
    for (advice, words) in zip(found, words) {
      #expect(advice.finding.contains(words), "\(advice)")
    }
  }

  @Test func `little memory is a hint where no group takes it away`() {
    let found = advice {
      $0.survey.availableMemoryBytes = 1 << 30
      $0.survey.systemAvailableBytes = 1 << 30
    }
    #expect(found.map(\.finding) == ["Only 1.07 GB of memory are available."])
  }
}

@Suite struct `The doctor command` {
  @Test func `measures the processor without looking for a card`() throws {
    let outcome = try Program.run("doctor", "--device", "cpu", "--threads", "1", "--json")
    #expect(outcome.code == 0 && outcome.error == "")
    let processor = try #require(outcome.json["processor"] as? [String: Any])
    #expect((processor["readGigabytesPerSecond"] as? Double ?? 0) > 0)
    #expect(processor["threads"] as? Int == 1)
    #expect((outcome.json["devices"] as? [Any])?.isEmpty == true)
    let driver = outcome.json["driver"] as? [String: Any]
    #expect(driver?["failure"] is NSNull)
    let caches = try #require(outcome.json["caches"] as? [[String: Any]])
    #expect(caches.first?["path"] as? String == "/nonexistent/.cache/hybrimoe/packed")
  }

  @Test func `measures an emulated device, and says that it is one`() throws {
    let outcome = try Program.run("doctor", "--device", "emulated", "--threads", "1", "--json")
    #expect(outcome.code == 0, "\(outcome.error)")
    let device = try #require((outcome.json["devices"] as? [[String: Any]])?.first)
    #expect(device["isEmulated"] as? Bool == true && device["failure"] is NSNull)
    let measured = try #require(device["measured"] as? [String: Any])
    let speeds = try ["pinned", "pageable"].map {
      try #require((measured[$0] as? [String: Any])?["gigabytesPerSecond"] as? Double)
    }
    #expect(speeds[0] > speeds[1] && speeds[1] > 0)
    #expect((measured["handshakeMicroseconds"] as? Double ?? 0) > 0)
  }

  @Test func `a card that was asked for and cannot be used fails the command, after its report`()
    throws
  {
    // No machine has so many.
    let outcome = try Program.run("doctor", "--device", "cuda:999", "--threads", "1", "--json")
    #expect(outcome.code == 1 && outcome.error.contains("--device cuda:999: "))
    #expect((outcome.json["driver"] as? [String: Any])?["failure"] is String)
  }

  @Test func `wrong options are refused`() throws {
    for options in [["--device", "gpu"], ["--threads", "0"], ["--device", "cuda:x"]] {
      #expect(try Program.run(["doctor"] + options).code == 64, "\(options)")
    }
  }

  @Test func `a report names what was found, line by line`() {
    var findings = Findings()
    findings.processor = "A processor"
    findings.instructionSet = "avx2"
    findings.instructionSets = ["portable", "avx2"]
    findings.host = HostSpeeds(threadCount: 2, readGBps: 12.34, int8GOPS: 100, floatGOPS: 50)
    findings.looksForDevices = false
    let text = DoctorReport(findings).text
    #expect(
      text.contains("measured   reads 12.3 GB/s, int8 100 GOPS, F32 50 GOPS with 2 threads\n"))
    #expect(text.contains("driver     not looked for\n"))
    #expect(text.hasSuffix("Nothing is missing.\n"))
  }
}
