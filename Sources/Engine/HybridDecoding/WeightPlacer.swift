import CPUCompute
import DeviceCompute
import Models

/// Gives dense weights their places in one piece of device memory, in order, and notes what to copy there.
///
/// It runs twice: from address 0, to learn how much memory there must be, then from that memory's address.
struct WeightPlacer {
  enum Content {
    case tiles(WeightMatrix)
    case numbers(FloatVector)
    case keyProjections(LatentExpansion)
  }

  let base: UInt64
  private(set) var byteCount = 0
  private(set) var byteCounts: [DenseRole: Int] = [:]
  private(set) var contents: [(content: Content, address: UInt64)] = []

  init(base: UInt64) { self.base = base }

  mutating func place(_ weights: WeightMatrix, _ role: DenseRole) -> DeviceMatrix {
    var matrix = DeviceMatrix(address: 0, shapeOf: weights)
    matrix.address = take(matrix.byteCount, role)
    contents.append((.tiles(weights), matrix.address))
    return matrix
  }

  /// - Precondition: `heads` is not empty; all have the same shape.
  mutating func place(heads: [WeightMatrix], _ role: DenseRole) -> DeviceHeadMatrices {
    var matrices = DeviceHeadMatrices(
      first: DeviceMatrix(address: 0, shapeOf: heads[0]), headCount: heads.count)
    matrices.first.address = take(heads.count * matrices.headByteCount, role)
    for (head, weights) in heads.enumerated() {
      contents.append((.tiles(weights), matrices.head(head).address))
    }
    return matrices
  }

  /// - Returns: 0 where there are none.
  mutating func place(_ numbers: FloatVector?, _ role: DenseRole) -> UInt64 {
    guard let numbers else { return 0 }
    let address = take(4 * numbers.count, role)
    contents.append((.numbers(numbers), address))
    return address
  }

  mutating func place(keyProjections latent: LatentAttention) -> UInt64 {
    let byteCount = 4 * latent.headCount * latent.plainLength * latent.latentLength
    let address = take(byteCount, .keyProjections)
    contents.append((.keyProjections(latent.expansion), address))
    return address
  }

  private mutating func take(_ count: Int, _ role: DenseRole) -> UInt64 {
    let size = (max(count, 1) + 255) / 256 * 256
    defer { byteCount += size }
    byteCounts[role, default: 0] += size
    return base + UInt64(byteCount)
  }
}

/// Where a model's dense weights lie on a device.
struct DeviceWeightMap {
  /// nil: computed by the processor.
  var layers: [DeviceLayer?] = []
  /// The routers of all MoE layers, those of the processor's layers included: earlier layers ask them.
  var routers: [(layer: Int, router: DeviceRouter)] = []
  var outputNorm: UInt64 = 0
  /// nil: computed by the processor.
  var output: DeviceMatrix?

  init(_ model: DecoderModel, _ placement: DensePlacement, _ placer: inout WeightPlacer) throws {
    for (index, layer) in model.layers.enumerated() {
      var router: DeviceRouter?
      if case .experts(let block) = layer.feedForward {
        let placed = Self.place(block.router, norm: layer.feedForwardNorm, &placer)
        routers.append((index, placed))
        router = placed
      }
      layers.append(
        placement.hostLayers.contains(index)
          ? nil : try Self.place(layer, index, router: router, &placer))
    }
    outputNorm = placer.place(model.outputNorm, .norms)
    if !placement.outputHeadOnHost { output = placer.place(model.output, .outputHead) }
  }

  private static func place(
    _ router: Router, norm: FloatVector, _ placer: inout WeightPlacer
  ) -> DeviceRouter {
    DeviceRouter(
      norm: placer.place(norm, .norms), weight: placer.place(router.weight, .routers),
      bias: placer.place(router.bias, .routers),
      selectionBias: placer.place(router.selectionBias, .routers), routing: DeviceRouting(router))
  }

  private static func place(
    _ layer: DecoderLayer, _ index: Int, router: DeviceRouter?, _ placer: inout WeightPlacer
  ) throws -> DeviceLayer {
    let norm = placer.place(layer.attentionNorm, .norms)
    let attention: DeviceLayer.Attention =
      switch layer.attention {
      case let grouped as GroupedQueryAttention: .grouped(place(grouped, &placer))
      case let latent as LatentAttention: .latent(place(latent, &placer))
      default:
        throw HybridDecodingError.unsupported(
          layer: index, what: "attention of the kind \(type(of: layer.attention))")
      }
    let feedForward: DeviceLayer.FeedForward
    switch layer.feedForward {
    case .dense(let network):
      feedForward = .dense(
        place(network, .denseFeedForward, &placer),
        norm: placer.place(layer.feedForwardNorm, .norms))
    case .experts(let block):
      guard let router else { preconditionFailure("a MoE layer has a router") }
      feedForward = .experts(
        router,
        shared: block.shared.map { shared in
          DeviceLayer.Shared(
            network: place(shared.network, .sharedExperts, &placer),
            gate: shared.gate.map { placer.place($0, .sharedExperts) })
        })
    }
    return DeviceLayer(attentionNorm: norm, attention: attention, feedForward: feedForward)
  }

  private static func place(
    _ network: DenseFeedForward, _ role: DenseRole, _ placer: inout WeightPlacer
  ) -> DeviceGated {
    DeviceGated(
      gate: placer.place(network.gate, role), up: placer.place(network.up, role),
      down: placer.place(network.down, role))
  }

  private static func place(
    _ attention: GroupedQueryAttention, _ placer: inout WeightPlacer
  ) -> DeviceGroupedQuery {
    func projection(_ part: GroupedQueryAttention.Projection) -> DeviceProjection {
      DeviceProjection(
        weight: placer.place(part.weight, .attention), bias: placer.place(part.bias, .attention))
    }
    return DeviceGroupedQuery(
      shape: attention, query: projection(attention.query), key: projection(attention.key),
      value: projection(attention.value), output: projection(attention.output),
      queryNorm: placer.place(attention.queryNorm, .norms),
      keyNorm: placer.place(attention.keyNorm, .norms),
      sinks: placer.place(attention.sinks, .attention))
  }

  private static func place(
    _ attention: LatentAttention, _ placer: inout WeightPlacer
  ) -> DeviceLatent {
    let query: DeviceLatent.Query =
      switch attention.query {
      case .direct(let weight): .direct(placer.place(weight, .attention))
      case .lowRank(let down, let norm, let up):
        .lowRank(
          down: placer.place(down, .attention), norm: placer.place(norm, .norms),
          up: placer.place(up, .attention))
      }
    var keys: DeviceHeadMatrices?
    if case .split(let matrices, _) = attention.heads {
      keys = placer.place(heads: matrices, .attention)
    }
    return DeviceLatent(
      shape: attention, query: query,
      keyValueDown: placer.place(attention.keyValueDown, .attention),
      keyValueNorm: placer.place(attention.keyValueNorm, .norms),
      keyProjections: placer.place(keyProjections: attention), keys: keys,
      values: placer.place(heads: attention.valueProjections, .attention),
      output: placer.place(attention.output, .attention))
  }
}
