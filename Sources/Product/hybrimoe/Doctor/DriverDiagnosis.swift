import Devices

/// What to do where no device can be used.
struct DriverDiagnosis {
  private let findings: Findings

  init(_ findings: Findings) { self.findings = findings }

  var advice: [Advice] {
    switch findings.driverFailure {
    case nil: []
    case .noDriver(let detail): [noDriver(detail)]
    case .driverTooOld(let found, let needed): [tooOld(found, needed)]
    case .noDevice(let asked, let found): [noDevice(asked, found)]
    case .refused(_, let reason): [refused(reason)]
    case .some(let error): [.problem("No device can be used: \(error).", "--device cpu works.")]
    }
  }

  private func noDriver(_ detail: String) -> Advice {
    let survey = findings.survey
    let finding = "There is no NVIDIA driver for programs (\(detail))"
    if survey.isWSL {
      return advice(
        finding,
        "Install NVIDIA's driver in Windows, none in Linux, and run `wsl --update`; libcuda.so.1 then "
          + "appears in /usr/lib/wsl/lib.",
        isProblem: survey.hasDeviceFiles)
    }
    if survey.isContainer {
      return advice(
        finding, Self.containerRemedy,
        isProblem: survey.nvidiaModule != nil || survey.hasNVIDIADevice)
    }
    if let module = survey.nvidiaModule {
      return .problem(
        finding + ", but version \(module) in the kernel.",
        "Install the libraries of the same version (libcuda1 or libnvidia-compute), or the whole "
          + "driver again.")
    }
    if survey.hasNVIDIADevice {
      return .problem(
        finding + ", but an NVIDIA device on the bus.",
        "Install the driver of the card (\(Self.branch(for: "12.1")) or newer) and restart the machine."
      )
    }
    return advice(
      finding, "Nothing is wrong without a card: the CPU computes everything.", isProblem: false)
  }

  private func advice(_ finding: String, _ remedy: String, isProblem: Bool) -> Advice {
    isProblem
      ? .problem(finding + ", although there is a card.", remedy) : .hint(finding + ".", remedy)
  }

  private static let containerRemedy =
    "If the machine has a card: install nvidia-container-toolkit there and start the container with "
    + "`--gpus all` (NVIDIA_DRIVER_CAPABILITIES must contain `compute`)."

  private func tooOld(_ found: String, _ needed: String) -> Advice {
    .problem(
      "The NVIDIA driver supports CUDA \(found), and \(needed) is needed.",
      findings.survey.isWSL
        ? "Update NVIDIA's driver in Windows."
        : "Update the driver to branch \(Self.branch(for: needed)) or newer"
          + (findings.survey.isContainer ? ", on the machine around the container." : "."))
  }

  private func noDevice(_ asked: Int?, _ found: Int) -> Advice {
    if let asked {
      return .problem(
        "There is no device \(asked): the driver knows \(HumanUnits.counted(found, "device")).",
        "Choose one from cuda:0 to cuda:\(max(0, found - 1)).")
    }
    let finding = "The NVIDIA driver is there, but shows no device"
    if let visible = findings.visibleDevices {
      return .problem(
        "\(finding): CUDA_VISIBLE_DEVICES is '\(TerminalText.safe(visible, width: 60))'.",
        "Unset the variable, or set it to numbers that `nvidia-smi -L` lists.")
    }
    if findings.survey.isContainer { return .problem(finding + ".", Self.containerRemedy) }
    return .problem(
      finding + ".",
      findings.survey.hasDeviceFiles
        ? "See what `nvidia-smi` says; the card may be in use by a virtual machine or have failed."
        : "The files /dev/nvidia* are missing: run `sudo nvidia-modprobe -u -c 0`, or restart the machine."
    )
  }

  private func refused(_ reason: String) -> Advice {
    let causes = [
      (
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        "The driver was updated while its old module is loaded: restart the machine."
      ),
      (
        "CUDA_ERROR_SYSTEM_NOT_READY",
        "The machine's switches between cards are not set up: start nvidia-fabricmanager."
      ),
      (
        "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
        "A forward compatibility package is in the way: take it out of LD_LIBRARY_PATH."
      ),
      (
        "CUDA_ERROR_UNKNOWN",
        "Often the module nvidia_uvm is missing, also after a suspend: run `sudo nvidia-modprobe -u -c 0`, or "
          + "`sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm`."
      ),
      ("CUDA_ERROR_OPERATING_SYSTEM", "See `dmesg` for what the driver's module says."),
    ]
    let remedy = causes.first { reason.contains($0.0) }?.1
    return .problem(
      "The NVIDIA driver does not start: \(reason).",
      remedy ?? "See whether `nvidia-smi` works, and restart the machine if it does not.")
  }

  /// The first branch of drivers for Linux that is still served and supports this version of CUDA (NVIDIA's list of
  /// drivers and toolkits).
  static func branch(for version: String) -> String {
    let parts = version.split(separator: ".").compactMap { Int($0) }
    switch (parts.first ?? 0, parts.count > 1 ? parts[1] : 0) {
    case (..<12, _), (12, ...2): return "535"
    case (12, ...4): return "550"
    case (12, ...8): return "570"
    default: return "580"
    }
  }
}
