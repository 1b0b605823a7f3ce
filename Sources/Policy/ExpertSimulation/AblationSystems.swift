import ExpertDirection
import ExpertScheduling

extension SystemDescription {
  /// A row of the paper's ablation: one of its ideas, or all, over kTransformers' fixed mapping.
  ///
  /// Caching alone needs copies to change anything, and kTransformers' decode makes none; so its
  /// misses are copied after the CPU has computed them, in idle link time.
  public init(ablation part: AblationPart, cacheRatio: Double) {
    self.init(part == .all ? .hybrimoePaper : .ktransformers, cacheRatio: cacheRatio)
    switch part {
    case .baseline, .all: break
    case .scheduling: scheduler = .hybrimoePaper
    case .prefetching: prefetching = .paper
    case .caching:
      eviction = .mrs
      fills = true
    }
  }
}
