import CPUCompute
import DeviceCompute
import Devices

/// Opens a device and measures it.
struct DeviceExamination {
  /// Keeps the memory busy; nil: nothing is measured beside reading.
  let meter: CeilingMeter?

  /// How long copies are measured: long enough for clocks to rise, short enough for several cards.
  private static let milliseconds = 200.0
  /// Modelled times need no long look.
  private static let modelledMilliseconds = 20.0

  /// - Parameter open: how the device is opened.
  func examine(
    _ name: String, _ properties: DeviceProperties, open: () throws -> any Device
  ) -> DeviceFinding {
    var finding = DeviceFinding(name: name, properties: properties)
    do {
      let device = try open()
      finding.properties = device.properties
      finding.freeByteCount = try device.freeByteCount()
      finding.speeds = try speeds(device)
    } catch let error as DeviceError {
      finding.failure = error
    } catch {
      finding.failure = .refused(operation: "measuring", reason: "\(error)")
    }
    return finding
  }

  private func speeds(_ device: any Device) throws -> DeviceSpeeds {
    let start = ContinuousClock.now
    let operations = try DeviceOperations(device)
    let kernelSeconds = start.duration(to: .now).seconds
    let link = try LinkMeter(device, operations)
    let milliseconds =
      device.properties.isEmulated ? Self.modelledMilliseconds : Self.milliseconds
    var pinned: LinkFigures?
    var pinningFailure: String?
    do {
      pinned = try figures(link, .pinned, milliseconds)
    } catch DeviceError.cannotPin(_, _, let reason) {
      pinningFailure = reason
    }
    let launch = try link.launchCost()
    return DeviceSpeeds(
      kernelSeconds: kernelSeconds, pinned: pinned, pinningFailure: pinningFailure,
      pageable: try figures(link, .pageable, milliseconds),
      submitMicroseconds: launch.submitMicroseconds,
      launchMicroseconds: launch.runMicroseconds,
      handshakeMicroseconds: try link.handshakeMicroseconds())
  }

  private func figures(
    _ link: LinkMeter, _ source: LinkMeter.Source, _ milliseconds: Double
  ) throws -> LinkFigures {
    let alone = try link.copy(from: source, milliseconds: milliseconds)
    var figures = LinkFigures(
      aloneGBps: alone.gigabytesPerSecond, besideReadingGBps: alone.gigabytesPerSecond, readGBps: 0)
    guard let meter else { return figures }
    var roundByteCount = 0
    let beside = try link.copy(from: source, milliseconds: milliseconds) {
      roundByteCount = meter.readSome()
    }
    figures.besideReadingGBps = beside.gigabytesPerSecond
    figures.readGBps =
      Double(beside.hostRounds * roundByteCount) / max(beside.hostMicroseconds, 1e-3) * 1e-3
    return figures
  }
}
