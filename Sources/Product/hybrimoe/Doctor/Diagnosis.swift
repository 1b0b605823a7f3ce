import Devices

/// Something that is not as it should be, and what to do about it.
struct Advice: Equatable {
  enum Level: String {
    /// Something does not work.
    case problem
    /// Something is slower or smaller than it could be.
    case hint
  }

  var level: Level
  /// What was found, a sentence.
  var finding: String
  /// What to do about it, a sentence.
  var remedy: String

  static func problem(_ finding: String, _ remedy: String) -> Advice {
    Advice(level: .problem, finding: finding, remedy: remedy)
  }

  static func hint(_ finding: String, _ remedy: String) -> Advice {
    Advice(level: .hint, finding: finding, remedy: remedy)
  }
}

/// What follows from findings.
struct Diagnosis {
  let findings: Findings

  /// Problems first, then hints, each in the order of the report.
  var advice: [Advice] {
    let all =
      DriverDiagnosis(findings).advice + findings.devices.flatMap(device) + host + memory + folders
    return all.filter { $0.level == .problem } + all.filter { $0.level == .hint }
  }

  // MARK: - Devices

  private func device(_ device: DeviceFinding) -> [Advice] {
    if let failure = device.failure {
      return [
        .problem(
          "\(device.name) cannot be used: \(failure).",
          "If other programs can use it, report this; --device cpu works all the same.")
      ]
    }
    guard let speeds = device.speeds, !device.properties.isEmulated else { return [] }
    return room(device) + pinning(device, speeds) + link(device, speeds) + answers(device, speeds)
  }

  private func room(_ device: DeviceFinding) -> [Advice] {
    guard let free = device.freeByteCount, free < device.properties.totalByteCount / 2 else {
      return []
    }
    let total = HumanUnits.bytes(device.properties.totalByteCount)
    return [
      .hint(
        "Only \(HumanUnits.bytes(free)) of \(total) are free on \(device.name).",
        "End other programs that use the card (`nvidia-smi` lists them): more free memory keeps more "
          + "experts there.")
    ]
  }

  private func pinning(_ device: DeviceFinding, _ speeds: DeviceSpeeds) -> [Advice] {
    guard let failure = speeds.pinningFailure else { return [] }
    var remedy = "Weights are copied from pageable memory, which is slower and keeps a core busy."
    if findings.survey.isWSL {
      remedy +=
        " Windows lends WSL 2 only a part of its memory for pinning: raise `memory=` in "
        + ".wslconfig."
    } else if findings.survey.isContainer {
      remedy += " Give the container more memory, and start it with --ulimit memlock=-1."
    } else if let limit = findings.survey.lockedMemoryBytes {
      remedy += " This process may lock \(HumanUnits.bytes(limit)): raise that with `ulimit -l`."
    } else {
      remedy += " Free host memory, and see whether another program holds much of it pinned."
    }
    return [.problem("Host memory cannot be pinned: \(failure).", remedy)]
  }

  /// A x16 slot of the third generation gives some 12 GB/s; what is below half of it is no such slot.
  private static let slowLinkGBps = 6.0

  private func link(_ device: DeviceFinding, _ speeds: DeviceSpeeds) -> [Advice] {
    guard let pinned = speeds.pinned, pinned.aloneGBps < Self.slowLinkGBps else { return [] }
    let rate = HumanUnits.fixed(pinned.aloneGBps, 1)
    return [
      .hint(
        "The link to \(device.name) carries only \(rate) GB/s.",
        "See whether the card sits in a slot with 16 lanes (`nvidia-smi -q -d PCIE`, \"Link Width\"), and "
          + "whether a riser or a power saving mode slows it. Misses are computed by the CPU the more."
      )
    ]
  }

  private func answers(_ device: DeviceFinding, _ speeds: DeviceSpeeds) -> [Advice] {
    if let remark = device.properties.remark {
      return [.hint("\(device.name): \(remark).", "Then run this again.")]
    }
    guard !device.properties.waitsForMemory else { return [] }
    let why = findings.survey.isWSL ? ", as in WSL 2" : ""
    return [
      .hint(
        "Streams of \(device.name) cannot wait for memory with this driver\(why).",
        "Each layer is launched when the CPU is done, which costs some microseconds a layer; "
          + (findings.survey.isWSL
            ? "Linux without Windows is faster." : "a newer driver may help."))
    ]
  }

  // MARK: - Host

  private var host: [Advice] {
    var advice: [Advice] = []
    if let failure = findings.hostFailure {
      advice.append(
        .problem("The processor could not be measured: \(failure).", "Free memory and try again."))
    }
    if findings.instructionSet == "portable" {
      advice.append(
        .hint(
          "The kernels run as plain C, many times slower than with AVX2.",
          "Use a processor with AVX2 or later; in a virtual machine, pass the host's processor through."
        ))
    }
    let survey = findings.survey
    if let quota = survey.processorQuota, quota < Double(survey.processorCount) - 0.5 {
      let amount = HumanUnits.fixed(quota, 1)
      advice.append(
        .hint(
          "A control group allows \(amount) of \(survey.processorCount) processors.",
          "Give the container or service more (`--cpus`, `CPUQuota=`) if the machine has them to spare."
        ))
    }
    return advice
  }

  /// What the bundled model with its cache and a small file need, with room.
  private static let littleMemory = 2 << 30

  private var memory: [Advice] {
    let survey = findings.survey
    var advice: [Advice] = []
    if let available = survey.availableMemoryBytes {
      if let system = survey.systemAvailableBytes, available < system / 2 {
        advice.append(
          .hint(
            "A control group leaves \(HumanUnits.bytes(available)) of the \(HumanUnits.bytes(system)) that "
              + "the machine has available.",
            "Give the container or service more (`--memory`, `MemoryMax=`): a model larger than that "
              + "is read from disk again and again."))
      } else if available < Self.littleMemory {
        advice.append(
          .hint(
            "Only \(HumanUnits.bytes(available)) of memory are available.",
            "End other programs; a model larger than that is read from disk again and again."))
      }
    }
    if survey.hugePages == "never" {
      advice.append(
        .hint(
          "The system gives no huge pages, which makes reading weights slower.",
          "As root: `echo madvise > /sys/kernel/mm/transparent_hugepage/enabled`."))
    }
    return advice
  }

  private var folders: [Advice] {
    findings.folders.filter { !$0.isWritable }.map { folder in
      let place = folder.path.map { "\($0) cannot be written" } ?? "the environment names no place"
      return .problem(
        "There is no folder for \(folder.purpose): \(place).",
        "Set XDG_CACHE_HOME to a folder that can be written; else they are made anew each time.")
    }
  }
}
