import ArgumentParser
import CUDADriver
import Devices

/// Tells what the machine has and lacks, measures it, and says what to do about it.
struct Doctor: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what this machine has and lacks, measured, and what to do about it.",
    discussion: """
      Looks at the processor, memory, the NVIDIA driver and its cards, and measures for some seconds: \
      how fast memory is read, how fast weights reach a card from pinned and from pageable memory, \
      alone and while the CPU reads, what a launch costs and how fast CPU and card answer each \
      other. Other programs that run meanwhile make all figures smaller.
      """)

  @Option(
    name: [.customShort("t", allowingJoined: true), .customLong("threads")],
    parsing: .unconditional,
    help: .init("Threads that read memory (default: one per physical core)."))
  var threads: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "auto (all NVIDIA cards), cpu (none), cuda:N or emulated (modelled times).",
      valueName: "name"))
  var device: DeviceChoice = .automatic

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads), but must be from 1 to 1024.")
    }
  }

  func run() throws {
    var findings = Findings()
    let host = HostExamination(&findings, threads: threads, environment: Environment.all)
    let examination = DeviceExamination(meter: host.meter)
    switch device {
    case .cpu: findings.looksForDevices = false
    case .emulated:
      let opened = try OpenDevice.emulated(HybridOptions.parse([]), ProfileCatalog()).device
      findings.devices = [examination.examine("emulated", opened.properties) { opened }]
    case .automatic: findCards(nil, examination, &findings)
    case .cuda(let number): findCards(number, examination, &findings)
    }
    let report = DoctorReport(findings)
    try OutputStream.standardOutput.write(looking.json ? report.json.text + "\n" : report.text)
    // Whoever asks for one device asks whether it works.
    if case .cuda(let number) = device,
      let failure = findings.driverFailure ?? findings.devices.first?.failure
    {
      throw CommandFailure("--device cuda:\(number): \(failure).")
    }
  }

  /// Examines one card, or all.
  private func findCards(
    _ wanted: Int?, _ examination: DeviceExamination, _ findings: inout Findings
  ) {
    do throws(DeviceError) {
      let cards = try CUDADevice.devices()
      if let wanted, !cards.indices.contains(wanted) {
        throw .noDevice(asked: wanted, found: cards.count)
      }
      for (number, properties) in cards.enumerated() where wanted == nil || wanted == number {
        findings.devices.append(
          examination.examine("cuda:\(number)", properties) { try CUDADevice(index: number) })
      }
    } catch {
      findings.driverFailure = error
    }
  }
}
