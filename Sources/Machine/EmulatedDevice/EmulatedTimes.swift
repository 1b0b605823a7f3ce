import Devices

/// What the clock of an emulated device shows.
public enum EmulatedTiming: Sendable {
  /// The host's time: how long this processor takes says nothing about a GPU.
  case none
  /// Modelled time, which stands still while nobody says anything.
  case modelled(EmulatedTimes)
}

/// How long an emulated device takes, in microseconds.
///
/// An operation starts when all of these have come: the end of what is before it in its stream, the host's time
/// at its submission, the events and words that the stream waits for, and its engine: there is one for copies to
/// the device, one for copies from it and one for kernels and copies within it. Among operations that
/// could start the one that could start first comes first, then the one that was submitted first. Records, waits
/// and writes take no time. The host's time moves on by `hostWorked`, by a submission's cost, and to
/// the moment for which it waited.
public struct EmulatedTimes: Sendable {
  /// Of every copy between host and device, before its bytes.
  public var copyLatencyMicroseconds = 8.0
  /// From pinned memory to the device.
  public var uploadBytesPerMicrosecond = 12_000.0
  /// From the device to pinned memory.
  public var downloadBytesPerMicrosecond = 12_000.0
  /// Through the driver's own buffer.
  public var pageableBytesPerMicrosecond = 5_000.0
  /// Within the device.
  public var deviceBytesPerMicrosecond = 300_000.0
  /// Of every kernel, before what it takes itself.
  public var launchMicroseconds = 3.0
  /// From the writing of a word on one side until the other side, host or device, sees it.
  public var signalMicroseconds = 0.0
  /// What the host spends on submitting one operation.
  public var submissionMicroseconds = 0.0
  /// What the host spends on asking whether something is done.
  public var pollMicroseconds = 0.5
  /// What a kernel takes. The bytes are those of its struct.
  public var kernelMicroseconds:
    @Sendable (
      _ name: String, _ grid: LaunchSize, _ block: LaunchSize, _ arguments: UnsafeRawBufferPointer
    ) -> Double = { _, grid, block, _ in
      1 + Double(grid.x * grid.y * grid.z * block.x * block.y * block.z) / 50_000
    }

  /// Times of no particular machine; change what is known better.
  public init() {}
}
