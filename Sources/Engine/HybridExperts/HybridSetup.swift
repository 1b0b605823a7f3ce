import CPUCompute
import Devices
import ExpertDirection
import Models

/// What a hybrid executor is made from.
public struct HybridSetup {
  public var device: any Device
  public var compute: CPUBackend
  /// The routed experts by layer number of the file.
  public var layers: [Int: ExpertLayer]
  /// Where their packed copies lie; nil: they are packed on the way to the device, each time.
  public var store: PackedStore?
  /// Sizes and costs, which the director plans by.
  public var lanes: any LaneCosts
  public var system: SystemDescription
  /// How often each expert was used in earlier runs, [layers × experts]; empty where nothing is known.
  public var popularity: [Double] = []
  /// Whether the cost model says when copies arrive, so that a run can be replayed to the letter, or the
  /// hardware. At first the former for an emulated device, the latter for a real one.
  public var clock: ExpertDirector.Clock
  public var recordsTimeline = false
  /// No piece of a copy is larger.
  public var pieceByteCount = 1 << 20
  /// Whether every plan is checked before it is performed.
  public var checksPlans = false
  /// Tokens of a step at most.
  public var tokenCapacity: Int
  public var pinned = PinnedBudget(byteCount: .max)

  public init(
    device: any Device, compute: CPUBackend, layers: [Int: ExpertLayer], store: PackedStore?,
    lanes: any LaneCosts, system: SystemDescription, tokenCapacity: Int
  ) {
    self.device = device
    clock = device.properties.isEmulated ? .modelled : .measured
    self.compute = compute
    self.layers = layers
    self.store = store
    self.lanes = lanes
    self.system = system
    self.tokenCapacity = tokenCapacity
  }
}

/// How much of the packed weights may be pinned, and in which pieces.
public struct PinnedBudget: Sendable, Equatable {
  public var byteCount: Int
  /// Pinning costs a system call and time for each page, so chunks are large; the last one wastes part of
  /// the budget, so they are not too large.
  public var chunkByteCount = 64 << 20
  /// Pieces that pass what is not pinned on to the link: two on their way, two being filled.
  public var stagingCount = 4
  public var stagingByteCount = 1 << 20

  public init(byteCount: Int) { self.byteCount = byteCount }
}

/// Slots as many as the device has memory for, and the system that fits into them.
struct FittedSlots {
  let slots: ExpertSlots
  let system: SystemDescription
  let shortage: String?

  /// Halves the cache until the device grants the memory; without any, the CPU computes all experts.
  /// - Throws: `DeviceError` other than for want of memory.
  init(_ device: any Device, _ setup: HybridSetup, slotByteCount: Int) throws(DeviceError) {
    let lanes = setup.lanes
    let (layers, experts) = (lanes.layerCount, lanes.expertCount)
    var system = setup.system
    var refusal: DeviceError?
    while true {
      let cached = system.slotsByLayer(lanes).reduce(0, +)
      do throws(DeviceError) {
        slots = try ExpertSlots(
          device, count: cached + system.extraSlots(lanes), slotByteCount: slotByteCount)
        break
      } catch {
        guard error.isShortage else { throw error }
        refusal = refusal ?? error
      }
      guard cached > 0 else {
        system = SystemDescription(.allCPU, cacheRatio: 0)
        system.cacheSlots = 0
        slots = try ExpertSlots(device, count: 0, slotByteCount: slotByteCount)
        break
      }
      system.layerSlots = system.slots(layers: layers, experts: experts).map { $0 / 2 }
    }
    self.system = system
    let left = slots.count
    shortage = refusal.map {
      left > 0
        ? "\($0); the expert cache is cut down to \(left) slots"
        : "\($0); all experts are computed by the CPU"
    }
  }
}
