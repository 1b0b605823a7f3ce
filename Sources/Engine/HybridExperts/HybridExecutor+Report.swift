import Devices
import ExpertDirection
import Experts

extension HybridExecutor {
  public func note(_ point: StepPoint, on stream: any DeviceStream) throws(DeviceError) {
    let mark = try marks.mark(stream)
    var passed = DenseTimes.Point(point: point, mark: mark, step: step, phase: phase)
    switch point {
    case .routed(let number, _):
      guard let layer = places[number] else { break }
      passed.layer = layer
      passed.predicted = lanes.attentionMicroseconds(
        layer: layer, tokens: tokenCount, context: context)
      if isBeforeLayers {
        passed.predicted += lanes.denseLayersMicroseconds(tokens: tokenCount, context: context)
      }
      isBeforeLayers = false
    case .stepEnds: passed.predicted = lanes.outputMicroseconds
    case .denseBegins, .sharedComputed, .served, .hostBegins: break
    }
    lock.withLock { _ in recorder.reached(passed) }
  }

  /// What the director decided so far, and what it expected the lanes to take.
  public var report: DirectionReport { lock.withLock { _ in director.currentReport } }

  /// What the lanes were to do, in microseconds since the first step; nil unless recorded.
  public var predictedTimeline: Timeline? { lock.withLock { _ in director.timeline } }

  /// The lanes' times, as far as the device has passed them.
  /// - Throws: `DeviceError`.
  public func laneTimes() throws -> LaneTimes {
    try lock.withLock { _ in
      try recorder.collect()
      return recorder.times
    }
  }

  /// - Throws: `DeviceError`.
  public func statistics() throws -> HybridStatistics {
    let times = try laneTimes()
    return lock.withLock { _ in statistics(times) }
  }

  private func statistics(_ times: LaneTimes) -> HybridStatistics {
    var statistics = HybridStatistics(
      director.currentReport, director.transferCounts, times)
    statistics.issuedBytes = uploader.issuedBytes
    statistics.slotCount = residency.slots.count
    statistics.slotBytes = residency.slots.slotByteCount
    statistics.waitedForSlot = residency.waitedForSlot
    statistics.preempted = residency.preempted
    statistics.pinnedBytes = source.chunks.pinnedByteCount
    statistics.stagedBytes = source.stagedByteCount
    statistics.pageableBytes = source.pageableByteCount
    if let shortage { statistics.notes.append(shortage) }
    if let remark = device.properties.remark { statistics.notes.append(remark) }
    let pinned = "\(source.chunks.pinnedByteCount >> 20) MiB of the experts are pinned"
    if let refusal = source.chunks.refusal {
      statistics.notes.append("\(pinned), the others reach the GPU through a buffer: \(refusal)")
    } else if source.unpinnableByteCount > 0 {
      statistics.notes.append(
        "\(pinned), others lie where nothing can be pinned and reach the GPU through a buffer")
    }
    return statistics
  }
}
