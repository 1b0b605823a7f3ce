import DeviceCompute
import Models

/// The matrices of all heads, side by side in device memory.
struct DeviceHeadMatrices {
  /// Head 0's.
  var first: DeviceMatrix
  var headCount: Int
  /// Bytes from head to head: exactly a head's tiles, so that heads of whole tiles are one matrix too.
  var headByteCount: Int { first.byteCount }

  /// One head's matrix.
  func head(_ index: Int) -> DeviceMatrix {
    var matrix = first
    matrix.address += UInt64(index * headByteCount)
    return matrix
  }

  /// Some heads as one matrix, row below row; nil where a head's last tile is not full.
  func stacked(_ heads: Range<Int>) -> DeviceMatrix? {
    guard first.rowCount % 16 == 0 else { return nil }
    var matrix = head(heads.lowerBound)
    matrix.rowCount *= heads.count
    return matrix
  }
}

/// A linear projection. bias: address of [outputs] F32; 0: none.
struct DeviceProjection {
  var weight: DeviceMatrix
  var bias: UInt64 = 0
}

/// A layer's grouped-query attention in device memory; addresses of norms and sinks are 0 where there are none.
struct DeviceGroupedQuery {
  let shape: GroupedQueryAttention
  var query: DeviceProjection
  var key: DeviceProjection
  var value: DeviceProjection
  var output: DeviceProjection
  var queryNorm: UInt64
  var keyNorm: UInt64
  var sinks: UInt64
}

/// A layer's latent attention in device memory.
struct DeviceLatent {
  enum Query {
    case direct(DeviceMatrix)
    case lowRank(down: DeviceMatrix, norm: UInt64, up: DeviceMatrix)
  }

  let shape: LatentAttention
  var query: Query
  var keyValueDown: DeviceMatrix
  var keyValueNorm: UInt64
  /// [heads][plain][latent] F32.
  var keyProjections: UInt64
  /// For each head [latent, plain]; nil where a file has keys joined with values, whose product is transposed.
  var keys: DeviceHeadMatrices?
  /// For each head [value, latent].
  var values: DeviceHeadMatrices
  var output: DeviceMatrix
}

/// A gated network that every token goes through.
struct DeviceGated {
  var gate: DeviceMatrix
  var up: DeviceMatrix
  var down: DeviceMatrix
}

/// A MoE layer's router, with the norm that stands before it: other layers ask it too.
struct DeviceRouter {
  var norm: UInt64
  var weight: DeviceMatrix
  var bias: UInt64
  var selectionBias: UInt64
  var routing: DeviceRouting
}

/// A layer that the device computes.
struct DeviceLayer {
  enum Attention {
    case grouped(DeviceGroupedQuery)
    case latent(DeviceLatent)
  }

  struct Shared {
    var network: DeviceGated
    /// [1, hidden]
    var gate: DeviceMatrix?
  }

  enum FeedForward {
    case dense(DeviceGated, norm: UInt64)
    case experts(DeviceRouter, shared: Shared?)
  }

  var attentionNorm: UInt64
  var attention: Attention
  var feedForward: FeedForward
}

extension DeviceRouting {
  init(_ router: Router) {
    let gating: Gating =
      switch router.gating {
      case .softmax: .softmax
      case .sigmoid: .sigmoid
      case .softmaxOfChosen: .softmaxOfChosen
      }
    self.init(gating: gating, activeCount: router.activeCount, normalizes: router.normalizes)
    groupCount = router.groupCount
    usedGroupCount = router.usedGroupCount
    addsTwoBestOfGroup = router.groupScore == .bestTwo
    scale = router.scale
  }
}
