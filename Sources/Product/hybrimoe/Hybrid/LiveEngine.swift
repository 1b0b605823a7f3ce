import ExpertDirection
import Experts

/// The hybrid engine that computes a command's sequence.
protocol LiveEngine: SystemSwitching {
  /// What computes, for people.
  var title: String { get }
  /// How often each expert was used, [layers × experts].
  var popularity: [Double] { get }
  /// What the lanes did, and what plans had expected, by the same clock; nil unless recorded.
  var timelines: (measured: Timeline, predicted: Timeline)? { get }
}
