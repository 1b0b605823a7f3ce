import Devices
import HostMemory

/// How fast bytes reached a device, and what the host did meanwhile.
public struct LinkSpeed: Sendable, Equatable {
  public var byteCount: Int
  /// By the device's clock.
  public var microseconds: Double
  /// How often the host's own work ran while bytes were copied, and for how long: without the last time, during
  /// which the copies ended, where there were others.
  public var hostRounds: Int
  public var hostMicroseconds: Double

  /// 10⁹ bytes a second.
  public var gigabytesPerSecond: Double { Double(byteCount) / max(microseconds, 1e-3) * 1e-3 }
}

/// Measures how fast a device is fed: copies from pinned and from pageable memory, alone and while the
/// host works, what a launch costs, and how long host and device take to answer each other.
///
/// The times are the device's own: of an emulated one they are what it models. One thread at a time may measure.
public final class LinkMeter {
  /// Where bytes come from.
  public enum Source: Sendable, CaseIterable {
    case pinned
    /// The driver copies them to a buffer of its own first.
    case pageable
  }

  let device: any Device
  let operations: DeviceOperations
  let stream: any DeviceStream
  private let target: DeviceMemory
  private let pageable: AlignedBuffer
  private var pinned: PinnedMemory?
  private let pieceByteCount: Int

  /// - Parameters:
  ///   - byteCount: what is copied again and again; more than what the processor's caches hold, since weights
  ///     are more.
  ///   - pieceByteCount: what one copy is.
  /// - Throws: `DeviceError`, `HostMemoryError`.
  public init(
    _ device: any Device, _ operations: DeviceOperations, byteCount: Int = 64 << 20,
    pieceByteCount: Int = 1 << 20
  ) throws {
    precondition(pieceByteCount > 0 && byteCount >= pieceByteCount)
    self.device = device
    self.operations = operations
    self.pieceByteCount = pieceByteCount
    let whole = byteCount / pieceByteCount * pieceByteCount
    let purpose = "measuring the link"
    stream = try device.makeStream(name: "meter")
    target = try device.allocate(byteCount: whole, purpose: purpose)
    pageable = try AlignedBuffer(byteCount: whole, purpose: purpose)
    // Pages that were never written are all the same one.
    for offset in stride(from: 0, to: whole, by: 4096) {
      pageable.base.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
  }

  /// Copies for about so long.
  ///
  /// - Parameters:
  ///   - hostWork: what the host does again and again while bytes are copied, in this thread; pageable
  ///     copies are made by another one then.
  /// - Throws: `DeviceError.cannotPin` where nothing can be pinned, other errors of the device, and
  ///   `HostMemoryError.cannotStartThread`.
  public func copy(
    from source: Source, milliseconds: Double, hostWork: (() -> Void)? = nil
  ) throws -> LinkSpeed {
    // What the device does first is slower: clocks are low, pages are new.
    _ = try copyOnce(from: source)
    let once = try copyOnce(from: source)
    let most = max(1, device.properties.pendingOperationLimit / 2)
    let pieces = Int(
      min(1e6, (milliseconds * 1e3 / max(once.microseconds, 1) * Double(piecesOfAll)).rounded(.up)))
    switch source {
    case .pinned: return try copyPinned(max(1, pieces), pendingLimit: most, hostWork)
    case .pageable: return try copyPageable(max(1, pieces), hostWork)
    }
  }

  private var piecesOfAll: Int { target.byteCount / pieceByteCount }

  private func copyOnce(from source: Source) throws -> LinkSpeed {
    switch source {
    case .pinned: try copyPinned(piecesOfAll, pendingLimit: piecesOfAll, nil)
    case .pageable: try copyPageable(piecesOfAll, nil)
    }
  }

  private func pinnedMemory() throws(DeviceError) -> PinnedMemory {
    if let pinned { return pinned }
    let memory = try device.allocatePinned(
      byteCount: target.byteCount, purpose: "measuring the link")
    for offset in stride(from: 0, to: target.byteCount, by: 4096) {
      memory.base.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    pinned = memory
    return memory
  }

  /// A few copies are always on their way, so that the link never waits for the host.
  private func copyPinned(
    _ pieceCount: Int, pendingLimit: Int, _ hostWork: (() -> Void)?
  ) throws -> LinkSpeed {
    let memory = try pinnedMemory()
    let batch = max(1, min(64, pendingLimit / 2))
    var work = HostWork(device.clock, hostWork)
    let start = try device.makeEvent()
    let ends = [try device.makeEvent(), try device.makeEvent()]
    try stream.record(start)
    var submitted = 0
    var batches = 0
    while submitted < pieceCount {
      if batches >= 2 { try work.run(until: ends[batches % 2]) }
      for piece in submitted..<min(pieceCount, submitted + batch) {
        let offset = piece % piecesOfAll * pieceByteCount
        try stream.copy(
          from: memory.span(offset, byteCount: pieceByteCount), to: target.address + UInt64(offset))
      }
      submitted = min(pieceCount, submitted + batch)
      try stream.record(ends[batches % 2])
      batches += 1
    }
    let last = ends[(batches + 1) % 2]
    if batches > 1 { try work.run(until: ends[batches % 2]) }
    try work.run(until: last)
    return try work.speed(
      byteCount: pieceCount * pieceByteCount, microseconds: elapsed(start, last))
  }

  private func copyPageable(_ pieceCount: Int, _ hostWork: (() -> Void)?) throws -> LinkSpeed {
    var work = HostWork(device.clock, hostWork)
    let start = try device.makeEvent()
    let end = try device.makeEvent()
    let copies = PageableCopies(
      stream: stream, source: pageable, target: target, pieceByteCount: pieceByteCount,
      pieceCount: pieceCount, end: end)
    try stream.record(start)
    if hostWork == nil {
      copies.run()
    } else {
      let thread = try copies.runBeside()
      while !copies.isDone { work.round() }
      thread.join()
    }
    if let error = copies.error { throw error }
    try end.synchronize()
    return try work.speed(
      byteCount: pieceCount * pieceByteCount, microseconds: elapsed(start, end))
  }

  /// Microseconds between two events that were reached.
  func elapsed(_ start: any DeviceEvent, _ end: any DeviceEvent) throws -> Double {
    try end.synchronize()
    guard let from = try start.time(), let to = try end.time() else {
      throw DeviceError.refused(operation: "reading times", reason: "an event has none")
    }
    return to - from
  }
}

/// What the host does while something else runs.
private struct HostWork {
  private let clock: any DeviceClock
  private let body: (() -> Void)?
  private var rounds = 0
  private var microseconds = 0.0
  private var lastMicroseconds = 0.0

  init(_ clock: any DeviceClock, _ body: (() -> Void)?) {
    self.clock = clock
    self.body = body
  }

  mutating func round() {
    let start = ContinuousClock.now
    body?()
    let took = start.duration(to: .now) / .microseconds(1)
    clock.hostWorked(microseconds: took)
    rounds += 1
    microseconds += took
    lastMicroseconds = took
  }

  /// Works until the event is reached.
  mutating func run(until event: any DeviceEvent) throws(DeviceError) {
    guard body != nil else { return try event.synchronize() }
    while try !event.isDone() { round() }
  }

  func speed(byteCount: Int, microseconds: Double) -> LinkSpeed {
    let counts =
      rounds > 1 ? (rounds - 1, self.microseconds - lastMicroseconds) : (rounds, self.microseconds)
    return LinkSpeed(
      byteCount: byteCount, microseconds: microseconds, hostRounds: counts.0,
      hostMicroseconds: counts.1)
  }
}
