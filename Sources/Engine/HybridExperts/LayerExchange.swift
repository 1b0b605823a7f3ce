import CPUCompute
import Devices
import Models

/// What the device and the host tell each other in a MoE layer, in pinned memory that both see.
///
/// One layer at a time uses it: a layer's router runs only after the layer before it was combined, and that
/// waits for the host. Every table is for the largest chunk of tokens.
///
/// The order of a layer, `sequence` being its number in the run:
/// 1. The device writes `ids`, `weights`, `probabilities`, `foreseen` and the records of the normalised
///    hidden state, then `routed` = sequence.
/// 2. The host fills `origins`; the CPU's rows go to `hostRows`, the GPU's to `deviceRows`.
/// 3. The GPU lane ends with `gpuDone` = sequence, the CPU lane with `cpuDone` = sequence.
/// 4. The device combines the rows.
public final class LayerExchange {
  public let tokenCapacity: Int
  public let ranks: Int
  public let expertCount: Int
  public let hiddenSize: Int
  /// Later layers whose routers are asked.
  public let foreseenLayerCount: Int
  /// Whether they are asked in this step. Whoever submits the dense part sets it before the first layer.
  public var asksLaterRouters = true

  public let routed: PinnedWord
  public let cpuDone: PinnedWord
  public let gpuDone: PinnedWord
  /// [tokens × ranks] Int32
  public let ids: PinnedSpan
  /// [tokens × ranks] F32
  public let weights: PinnedSpan
  /// [tokens × experts] F32
  public let probabilities: PinnedSpan
  /// [foreseen layers][tokens × experts] F32
  public let foreseen: [PinnedSpan]
  /// [tokens × ranks] UInt32: where each pair's row is; bit 31: in `hostRows`.
  public let origins: PinnedSpan
  /// [tokens × ranks, hidden] F32, rows `hidden` numbers apart.
  public let hostRows: PinnedSpan
  public let deviceRows: DeviceMemory
  /// Records of the hidden state by width (256, 32, 0), on the device and for the host: [tokens] each.
  public let records: [Int: (device: DeviceMemory, host: PinnedSpan)]
  /// Routing weights on the device, for `combine`. [tokens × ranks]
  public let deviceWeights: DeviceMemory
  private let pinned: PinnedMemory

  /// - Parameter widths: of the records that this model's experts read.
  /// - Throws: `DeviceError`.
  public init(
    device: any Device, tokenCapacity: Int, ranks: Int, expertCount: Int, hiddenSize: Int,
    widths: Set<Int>, foreseenLayerCount: Int = 3
  ) throws(DeviceError) {
    self.tokenCapacity = tokenCapacity
    self.ranks = ranks
    self.expertCount = expertCount
    self.hiddenSize = hiddenSize
    self.foreseenLayerCount = foreseenLayerCount
    let pairs = tokenCapacity * ranks
    let scores = tokenCapacity * expertCount * 4
    var layout = SpanLayout()
    let words = layout.place(3 * 64)
    let idsAt = layout.place(pairs * 4)
    let weightsAt = layout.place(pairs * 4)
    let probabilitiesAt = layout.place(scores)
    let foreseenAt = (0..<foreseenLayerCount).map { _ in layout.place(scores) }
    let originsAt = layout.place(pairs * 4)
    let rowsAt = layout.place(pairs * hiddenSize * 4)
    let recordsAt = widths.sorted().map { width in
      let byteCount = RowRecords.byteCount(
        rowCount: tokenCapacity, columnCount: hiddenSize, width: width)
      return (width: width, at: layout.place(byteCount), byteCount: byteCount)
    }
    let pinned = try device.allocatePinned(
      byteCount: layout.end, purpose: "what host and device tell each other")
    self.pinned = pinned
    routed = pinned.word(at: words)
    cpuDone = pinned.word(at: words + 64)
    gpuDone = pinned.word(at: words + 128)
    for word in [routed, cpuDone, gpuDone] { device.write(0, to: word) }
    ids = pinned.span(idsAt, byteCount: pairs * 4)
    weights = pinned.span(weightsAt, byteCount: pairs * 4)
    probabilities = pinned.span(probabilitiesAt, byteCount: scores)
    foreseen = foreseenAt.map { pinned.span($0, byteCount: scores) }
    origins = pinned.span(originsAt, byteCount: pairs * 4)
    hostRows = pinned.span(rowsAt, byteCount: pairs * hiddenSize * 4)
    deviceRows = try device.allocate(
      byteCount: pairs * hiddenSize * 4, purpose: "the experts' rows")
    deviceWeights = try device.allocate(byteCount: pairs * 4, purpose: "routing weights")
    var records: [Int: (device: DeviceMemory, host: PinnedSpan)] = [:]
    for (width, at, byteCount) in recordsAt {
      let memory = try device.allocate(byteCount: byteCount, purpose: "quantised activations")
      records[width] = (memory, pinned.span(at, byteCount: byteCount))
    }
    self.records = records
  }
}

/// Places parts of one allocation, each on a cache line of its own.
private struct SpanLayout {
  private(set) var end = 0

  mutating func place(_ byteCount: Int) -> Int {
    defer { end += (max(byteCount, 64) + 63) / 64 * 64 }
    return end
  }
}
