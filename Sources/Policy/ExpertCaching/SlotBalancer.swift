/// Moves slots to the layers that gain most by them.
///
/// Intuition: layers differ. Where a few experts do most of the work, the last slots hold experts
/// that are hardly used; where routing is flat, every slot counts. The total is fixed by the GPU's
/// memory, so hits are most when all layers' last slots are worth the same.
///
/// The rule: every `interval` steps, while the layer with the greatest gain by one more slot gains
/// more than the layer with the smallest loss would lose, by `deviations` standard deviations, one
/// slot moves, up to one for each `layersPerMove` layers. No layer falls below half of its first
/// slots, nor below top-k + 1. Layers only exchange slots where their experts are of the same size.
/// It happens while an event is observed; the layer that runs is spared, and so are retained and
/// prefetched experts.
///
/// Rejected: solving for the best quotas at once. The curves are noisy, every moved slot costs a
/// copy, and small steps reach the same quotas within a few hundred tokens. A fixed factor between
/// gain and loss instead of deviations cost up to 0.6 points where all layers are alike.
struct SlotBalancer: Sendable {
  /// Steps between moves.
  static let interval = 16
  /// The best of all pairs of layers is taken, so chance alone often gives two deviations.
  static let deviations = 3.0
  static let layersPerMove = 4

  private(set) var curves: [HitCurve]
  private let leastSlots: [Int]
  private let experts: Int
  private let expertBytes: [Int]
  private var eventsUntilMove: Int
  private var gave: [Bool]

  init(_ configuration: CacheConfiguration) {
    experts = configuration.experts
    expertBytes = configuration.expertBytes
    curves = Array(
      repeating: HitCurve(experts: configuration.experts), count: configuration.layers)
    leastSlots = configuration.slots.map {
      min($0, max(configuration.activated + 1, ($0 + 1) / 2))
    }
    eventsUntilMove = Self.interval * configuration.layers
    gave = Array(repeating: false, count: configuration.layers)
  }

  mutating func observe(_ event: LayerActivation, ranks: Ranks) {
    curves[event.layer].observe(event, ranks: ranks)
    eventsUntilMove -= 1
  }

  var isDue: Bool { eventsUntilMove <= 0 }

  /// Moves slots between pools. `running` is the layer whose event is being played: its residents
  /// have just been counted on and must stay.
  mutating func move(_ pools: inout [CachePool], running: Int) {
    // One event more than whole steps, so that every layer is spared in its turn.
    eventsUntilMove = Self.interval * pools.count + 1
    for layer in gave.indices { gave[layer] = layer == running }
    for _ in 0..<max(1, pools.count / Self.layersPerMove) {
      guard let (from, to) = bestMove(pools) else { return }
      gave[from] = true
      guard let slot = pools[from].giveSlot() else { continue }
      pools[to].takeSlot(slot)
    }
  }

  private func bestMove(_ pools: [CachePool]) -> (from: Int, to: Int)? {
    var best: (from: Int, to: Int)?
    var bestProfit = 0.0
    for to in pools.indices where pools[to].table.slotCount < experts {
      let gain = curves[to].gain(slots: pools[to].table.slotCount)
      for from in pools.indices where from != to && !gave[from] {
        let slots = pools[from].table.slotCount
        let isSameSize = expertBytes.isEmpty || expertBytes[from] == expertBytes[to]
        guard slots > leastSlots[from], isSameSize else { continue }
        let loss = curves[from].loss(slots: slots)
        let noise = curves[to].deviation(gain + loss)
        let profit = gain - loss - Self.deviations * noise
        guard profit > bestProfit else { continue }
        best = (from, to)
        bestProfit = profit
      }
    }
    return best
  }
}
