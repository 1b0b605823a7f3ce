import CGPUKernels
import Devices

/// How a router's logits become experts and weights; as the host's router has it.
public struct DeviceRouting: Sendable, Equatable {
  public enum Gating: Sendable, Equatable {
    /// Softmax over all experts.
    case softmax
    /// 1 / (1 + e⁻ˣ), each expert for itself.
    case sigmoid
    /// The logits choose; softmax over the chosen gives the weights.
    case softmaxOfChosen
  }

  public var gating: Gating
  /// Experts per token.
  public var activeCount: Int
  /// 1: experts are not in groups.
  public var groupCount = 1
  public var usedGroupCount = 1
  /// Whether a group counts as much as its two best experts together, else as its best.
  public var addsTwoBestOfGroup = false
  /// Whether the weights of the chosen are divided by their sum.
  public var normalizes: Bool
  public var scale: Float = 1

  public init(gating: Gating, activeCount: Int, normalizes: Bool) {
    self.gating = gating
    self.activeCount = activeCount
    self.normalizes = normalizes
  }

  fileprivate var gatingNumber: gpu_u32 {
    switch gating {
    case .softmax: u32(GPU_GATING_SOFTMAX)
    case .sigmoid: u32(GPU_GATING_SIGMOID)
    case .softmaxOfChosen: u32(GPU_GATING_SOFTMAX_OF_CHOSEN)
    }
  }
}

/// Where `route` writes; addresses.
public struct DeviceRoutes: Sendable, Equatable {
  /// [tokens × active] Int32, mapped host memory.
  public var ids: UInt64
  /// [tokens × active] F32, mapped host memory.
  public var weights: UInt64
  /// The same weights in device memory.
  public var deviceWeights: UInt64
  /// [tokens × experts] F32, mapped host memory; 0: nobody wants to know.
  public var probabilities: UInt64

  public init(ids: UInt64, weights: UInt64, deviceWeights: UInt64, probabilities: UInt64 = 0) {
    self.ids = ids
    self.weights = weights
    self.deviceWeights = deviceWeights
    self.probabilities = probabilities
  }
}

/// Routers, and the sum of what experts computed.
extension DeviceOperations {
  /// Chooses each token's experts, best first, ties to the lower number.
  /// - Parameters:
  ///   - logits: [tokens, experts], bias included.
  ///   - selectionBias: address of [experts] F32, added for choosing only; 0: none.
  public func route(
    _ logits: DeviceRows, by routing: DeviceRouting, selectionBias: UInt64 = 0,
    into routes: DeviceRoutes, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(routing.activeCount <= logits.columnCount)
    let arguments = gpu_route_arguments(
      logits: logits.address, selection_bias: selectionBias, ids: routes.ids,
      weights: routes.weights, device_weights: routes.deviceWeights,
      probabilities: routes.probabilities, logits_stride: u32(logits.stride),
      tokens: u32(logits.rowCount), experts: u32(logits.columnCount),
      chosen: u32(routing.activeCount), gating: routing.gatingNumber,
      groups: u32(routing.groupCount), used_groups: u32(routing.usedGroupCount),
      group_score: routing.addsTwoBestOfGroup ? 1 : 0, normalizes: routing.normalizes ? 1 : 0,
      scale: routing.scale)
    let shared = gpu_route_shared(
      u32(logits.columnCount), u32(routing.activeCount), u32(routing.groupCount))
    try launch(
      .route, grid: LaunchSize(logits.rowCount), block: 32, sharedByteCount: Int(shared),
      arguments, on: stream)
  }

  /// The probabilities that another layer's router gives. probabilities: address of [tokens × experts] F32.
  public func foresee(
    _ logits: DeviceRows, by routing: DeviceRouting, into probabilities: UInt64,
    on stream: any DeviceStream
  ) throws(DeviceError) {
    let arguments = gpu_foresee_arguments(
      logits: logits.address, probabilities: probabilities, logits_stride: u32(logits.stride),
      tokens: u32(logits.rowCount), experts: u32(logits.columnCount),
      gating: routing.gatingNumber)
    try launch(
      .foresee, grid: LaunchSize(logits.rowCount), block: 32,
      sharedByteCount: 4 * logits.columnCount, arguments, on: stream)
  }

  /// Sums the experts' rows of each token in rank order with its weights, then adds the shared expert's.
  /// - Parameters:
  ///   - deviceRows: rows that this device computed; only the stride counts of its shape.
  ///   - hostRows: address of rows that the host computed, as far apart.
  ///   - origins: address of [tokens × ranks] UInt32, the row of each pair; bit 31: of the host's rows.
  ///   - weights: address of [tokens × ranks] F32.
  ///   - shared: [tokens, columns] or nil.
  ///   - y: [tokens, columns]
  public func combine(
    deviceRows: DeviceRows, hostRows: UInt64, origins: UInt64, weights: UInt64, ranks: Int,
    shared: DeviceRows?, into y: DeviceRows, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(deviceRows.columnCount == y.columnCount)
    let arguments = gpu_combine_arguments(
      device_rows: deviceRows.address, host_rows: hostRows, origins: origins, weights: weights,
      shared: shared?.address ?? 0, y: y.address, row_stride: u32(deviceRows.stride),
      tokens: u32(y.rowCount), ranks: u32(ranks), columns: u32(y.columnCount),
      y_stride: u32(y.stride), shared_stride: u32(shared?.stride ?? 0))
    let threads = Self.elementwiseThreads
    try launch(
      .combine, grid: LaunchSize(y.rowCount, parts(y.columnCount, of: threads)), block: threads,
      arguments, on: stream)
  }
}
