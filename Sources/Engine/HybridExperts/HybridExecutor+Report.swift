import ExpertDirection
import Experts

extension HybridExecutor {
  /// What the director decided so far, and what it expected the lanes to take.
  public var report: DirectionReport { director.currentReport }

  /// What the lanes were to do, in microseconds since the first step; nil unless recorded.
  public var predictedTimeline: Timeline? { director.timeline }
}
