/// The rule that chooses which resident expert gives up its slot.
///
/// Raw values are the names that a user types.
public enum EvictionName: String, CaseIterable, Sendable {
  /// Measures the others while it runs and ranks as the best of them would.
  case auto
  /// Minus Recent Score: the paper's rule, decayed router scores.
  case mrs
  /// Least recently used.
  case lru
  /// Least frequently used.
  case lfu
  /// Frequency over age.
  case lfru
  /// Tokens routed to an expert in the layer's last events.
  case workload
  /// Experts that this pass has left behind go first; for one cache over all layers.
  case leastStale = "least-stale"
  /// A popularity that is known beforehand and never changes.
  case `static`
  /// Belady's offline bound: needs the future.
  case min

  /// Whether the rule needs to know the whole trace beforehand, so that no engine can follow it.
  public var isOffline: Bool { self == .min || self == .static }

  /// Whether the rule can tell that a newcomer is worth less than the victim; a rule that only knows
  /// when experts were used cannot, because a newcomer has just been used.
  public var hasBypass: Bool { self != .lru && self != .leastStale }

  /// Whether the rule has a meaning in this scope.
  public func isDefined(in scope: CacheScope) -> Bool { self != .leastStale || scope == .global }
}

/// Whether every activated expert must enter the cache.
public enum Admission: String, CaseIterable, Sendable {
  /// Every miss enters, as in a system that computes on the GPU only.
  case forced
  /// A miss enters only where it ranks above its victim; the CPU computes the others.
  case bypass
}

/// What shares one set of slots.
public enum CacheScope: String, CaseIterable, Sendable {
  /// Each layer has its own slots.
  case layer
  /// All layers share all slots.
  case global
}
