import Experts

/// Slots outside the layers' caches, in which a prefill's copies wait for the layer that comes next.
///
/// In a prefill nearly every expert is activated, so a copy ahead that took a resident's slot would
/// gain one hit and lose another. The ring is where copies ahead go instead: filled while a layer
/// computes, read by the next one, and empty again when that has run.
struct StreamRing {
  /// Slots.
  var capacity = 0
  private var held: [ExpertID] = []
  private var expected: [ExpertID] = []

  func forEachHeld(ofLayer layer: Int, _ body: (Int) -> Void) {
    for expert in held where expert.layer == layer { body(expert.index) }
  }

  /// Copies for a layer that are there or on their way.
  func count(ofLayer layer: Int) -> Int {
    held.count { $0.layer == layer } + expected.count { $0.layer == layer }
  }

  /// Slots that no copy is in or on its way to.
  var room: Int { max(0, capacity - held.count - expected.count) }

  func holds(_ expert: ExpertID) -> Bool { held.contains(expert) }
  func expects(_ expert: ExpertID) -> Bool { expected.contains(expert) }

  /// A copy into the ring has been queued.
  mutating func expect(_ expert: ExpertID) { expected.append(expert) }

  /// A copy has arrived.
  mutating func take(_ expert: ExpertID) {
    forget(expert)
    held.append(expert)
  }

  /// A copy will not come, or not into the ring.
  mutating func forget(_ expert: ExpertID) { expected.removeAll { $0 == expert } }

  /// A layer has run: its experts' slots are free. `body` is told of each.
  mutating func leave(_ layer: Int, _ body: (ExpertID) -> Void) {
    for expert in held where expert.layer == layer { body(expert) }
    held.removeAll { $0.layer == layer }
  }

  /// All slots are free; `body` is told of each expert that was there.
  mutating func empty(_ body: (ExpertID) -> Void) {
    held.forEach(body)
    held.removeAll(keepingCapacity: true)
    expected.removeAll(keepingCapacity: true)
  }
}
