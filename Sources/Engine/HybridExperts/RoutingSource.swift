import Experts

/// Routing that takes the place of what a model's routers say: recorded or made up.
///
/// So a machine's speed can be measured with the routing of a real model before that model is
/// there: made weights route at random, which no cache can profit from. The routers still run, so
/// that the time is the same; only which experts are computed, what caches and prefetchers see of
/// scores, and what is foreseen of later layers come from here. What the model then computes means
/// nothing.
public protocol RoutingSource: AnyObject {
  /// A step of so many tokens begins.
  func beginStep(tokenCount: Int, phase: Phase)
  /// The routing of a MoE layer, counted from 0, in the step that runs: rows for exactly its
  /// tokens, experts of the model, none twice in a row. Without weights the routers' own are paired
  /// with the experts by rank; without scores the routers' own are seen.
  func routing(layer: Int) -> RoutingEvent
}
