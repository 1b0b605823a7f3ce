import Devices
import OrderedJSON

/// What `doctor` prints.
struct DoctorReport {
  let findings: Findings
  let advice: [Advice]

  init(_ findings: Findings) {
    self.findings = findings
    advice = Diagnosis(findings: findings).advice
  }

  var text: String {
    var sections = [facts.text]
    sections += findings.devices.compactMap(deviceText)
    sections.append(adviceText)
    return sections.joined(separator: "\n")
  }

  private var facts: TextTable {
    var table = TextTable([("", .left), ("", .left)])
    table.add("processor", findings.processor + ", " + processors)
    table.add(
      "kernels",
      "\(findings.instructionSet) (of \(findings.instructionSets.joined(separator: ", ")))")
    if let host = findings.host {
      let int8 = host.int8GOPS.map { ", int8 \(HumanUnits.fixed($0, 0)) GOPS" } ?? ""
      table.add(
        "measured",
        "reads \(HumanUnits.fixed(host.readGBps, 1)) GB/s\(int8), F32 "
          + "\(HumanUnits.fixed(host.floatGOPS, 0)) GOPS with "
          + HumanUnits.counted(host.threadCount, "thread"))
    }
    table.add("memory", memory)
    table.add("system", system)
    table.add("driver", driver)
    for folder in findings.folders {
      let state = folder.isWritable ? "" : " (cannot be written)"
      table.add("caches", (folder.path ?? "no place") + state)
    }
    return table
  }

  private var processors: String {
    let survey = findings.survey
    var words = [
      "\(HumanUnits.counted(survey.coreCount, "core")) of "
        + "\(HumanUnits.counted(survey.processorCount, "processor"))"
    ]
    if let quota = survey.processorQuota { words.append("quota \(HumanUnits.fixed(quota, 1))") }
    if survey.memoryNodeCount > 1 { words.append("\(survey.memoryNodeCount) memory nodes") }
    return words.joined(separator: ", ")
  }

  private var memory: String {
    let survey = findings.survey
    let total = survey.totalMemoryBytes.map(HumanUnits.bytes) ?? "unknown"
    let available = survey.availableMemoryBytes.map(HumanUnits.bytes) ?? "unknown"
    let locked = survey.lockedMemoryBytes.map { "may lock \(HumanUnits.bytes($0))" }
    return "\(total), \(available) available; huge pages: \(survey.hugePages ?? "none"); "
      + (locked ?? "may lock all")
  }

  private var system: String {
    let survey = findings.survey
    let kind = survey.isWSL ? "Linux in Windows (WSL 2)" : "Linux"
    return survey.isContainer ? "\(kind), in a container" : kind
  }

  private var driver: String {
    guard findings.looksForDevices else { return "not looked for" }
    let module = findings.survey.nvidiaModule.map { ", module \($0)" } ?? ""
    guard let device = findings.devices.first(where: { !$0.properties.isEmulated }) else {
      return findings.devices.isEmpty ? "none that can be used" + module : "none needed"
    }
    return "NVIDIA, CUDA \(device.properties.driverVersion)\(module)"
  }

  private func deviceText(_ device: DeviceFinding) -> String? {
    let properties = device.properties
    var text = "\(device.name): \(properties.name), \(HumanUnits.bytes(properties.totalByteCount))"
    if let free = device.freeByteCount { text += " (\(HumanUnits.bytes(free)) free)" }
    if !properties.isEmulated {
      text +=
        ", compute capability \(properties.major).\(properties.minor), "
        + HumanUnits.counted(properties.multiprocessorCount, "multiprocessor")
    }
    text += "\n"
    guard let speeds = device.speeds else { return text }
    if properties.isEmulated {
      text += "The device is emulated: its times are modelled, not measured.\n"
    }
    var table = TextTable([
      ("copies to the device from", .left), ("alone", .right), ("while the CPU reads", .right),
      ("CPU reads", .right),
    ])
    for (name, figures) in [
      ("pinned memory", speeds.pinned), ("pageable memory", speeds.pageable),
    ] {
      guard let figures else { continue }
      table.add(
        [name]
          + [figures.aloneGBps, figures.besideReadingGBps, figures.readGBps].map {
            HumanUnits.fixed($0, 1) + " GB/s"
          })
    }
    return text + table.text
      + "launch: \(HumanUnits.fixed(speeds.submitMicroseconds, 1)) us to submit, "
      + "\(HumanUnits.fixed(speeds.launchMicroseconds, 1)) us each in a row; handshake with the CPU: "
      + "\(HumanUnits.fixed(speeds.handshakeMicroseconds, 1)) us; kernels ready after "
      + "\(HumanUnits.fixed(speeds.kernelSeconds, 1)) s\n"
  }

  private var adviceText: String {
    guard !advice.isEmpty else { return "Nothing is missing.\n" }
    return advice.map { advice in
      let word = advice.level == .problem ? "Problem: " : "Hint: "
      return TerminalText.wrapped("- \(word)\(advice.finding) \(advice.remedy)", indent: 2)
    }.joined()
  }
}
