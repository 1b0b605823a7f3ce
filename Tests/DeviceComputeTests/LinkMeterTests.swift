import Devices
import EmulatedDevice
import Testing

@testable import DeviceCompute

/// The meter against a device whose times are known, since they are modelled.
@Suite struct LinkMeterTests {
  private static let piece = 4096

  private static func times() -> EmulatedTimes {
    var times = EmulatedTimes()
    times.copyLatencyMicroseconds = 0
    times.uploadBytesPerMicrosecond = 10_000
    times.pageableBytesPerMicrosecond = 2_500
    times.launchMicroseconds = 3
    times.submissionMicroseconds = 0.25
    times.pollMicroseconds = 0.5
    times.kernelMicroseconds = { _, _, _, _ in 1 }
    return times
  }

  private func device(
    _ change: (inout EmulatedDevice.Configuration) -> Void = { _ in }
  ) throws -> EmulatedDevice {
    var configuration = EmulatedDevice.Configuration(
      memoryByteCount: 1 << 20, timing: .modelled(Self.times()))
    change(&configuration)
    return try EmulatedDevice(configuration)
  }

  private func meter(_ device: EmulatedDevice) throws -> LinkMeter {
    try LinkMeter(
      device, DeviceOperations(device), byteCount: 8 * Self.piece + 1, pieceByteCount: Self.piece)
  }

  @Test func `copies are as fast as the device models them`() throws {
    let meter = try meter(device())
    for (source, speed) in [(LinkMeter.Source.pinned, 10.0), (.pageable, 2.5)] {
      let found = try meter.copy(from: source, milliseconds: 0.2)
      #expect(abs(found.gigabytesPerSecond - speed) < 0.3 * speed, "\(source): \(found)")
      #expect(found.byteCount % Self.piece == 0 && found.byteCount > 8 * Self.piece)
      #expect(found.hostRounds == 0 && found.hostMicroseconds == 0)
    }
  }

  @Test(arguments: LinkMeter.Source.allCases)
  func `the host works while bytes are copied`(source: LinkMeter.Source) throws {
    let device = try device()
    var rounds = 0
    let found = try meter(device).copy(from: source, milliseconds: 0.5) { rounds += 1 }
    // The last round, in which the copies end, counts only where it is the only one.
    #expect(rounds >= 1 && found.hostRounds == max(1, rounds - 1))
    #expect(found.byteCount > 0 && found.microseconds > 0)
  }

  @Test func `a long measurement goes in several batches`() throws {
    let speed = try meter(device()).copy(from: .pinned, milliseconds: 3)
    #expect(speed.byteCount > 64 * 4 * Self.piece, "several batches: \(speed)")
  }

  @Test func `a launch costs what is modelled`() throws {
    let cost = try meter(device()).launchCost(count: 20)
    #expect(abs(cost.submitMicroseconds - 0.25) < 0.1)
    #expect(abs(cost.runMicroseconds - 4) < 0.5, "launch and kernel: \(cost)")
  }

  @Test(arguments: [true, false])
  func `host and device answer each other`(waits: Bool) throws {
    let meter = try meter(device { $0.waitsForMemory = waits })
    let microseconds = try meter.handshakeMicroseconds(count: 30)
    #expect(microseconds >= 4 && microseconds < 40, "a kernel, and looking: \(microseconds)")
  }

  @Test func `a handshake does not depend on the order of what may be reordered`() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let meter = try meter(
        device {
          $0.timing = .none
          $0.seed = seed
        })
      #expect(try meter.handshakeMicroseconds(count: 10) > 0)
    }
  }

  @Test func `where nothing can be pinned, pageable memory is measured all the same`() throws {
    let meter = try meter(device { $0.failures = [.pinningBeyond(byteCount: 4096)] })
    #expect(throws: DeviceError.self) { _ = try meter.copy(from: .pinned, milliseconds: 0.1) }
    #expect(try meter.copy(from: .pageable, milliseconds: 0.1).byteCount > 0)
    #expect(try meter.handshakeMicroseconds(count: 5) > 0)
  }

  @Test func `a device that is lost ends the measurement with its error`() throws {
    for number in [1, 9, 25] {
      let meter = try meter(device { $0.failures = [.launch(number: number)] })
      #expect(throws: DeviceError.self) { _ = try meter.handshakeMicroseconds(count: 20) }
    }
    for number in [1, 20, 30] {
      let meter = try meter(device { $0.failures = [.copy(number: number)] })
      #expect(throws: DeviceError.self) {
        _ = try meter.copy(from: .pageable, milliseconds: 1) {}
      }
    }
  }
}
