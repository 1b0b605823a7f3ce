/// Which of the experts that arrive one after the other the GPU computes in one launch.
///
/// A launch costs the same for one expert as for many, but begins only when the last of its experts
/// is there. Intuition: while the GPU is behind the link, experts pile up, and what has piled up
/// should go together; while it waits for the link, each should go when it comes. Both follow from
/// asking for the earliest end. With E(j) the end of the first j experts, a(j) the arrival of the
/// last of them and g their computation,
///
///     E(j) = min over i < j of max(E(i), a(j)) + launch + g(i) + … + g(j − 1)
///
/// is exact, because E only grows with E(i). One launch for each expert is among the choices, and so
/// is one for all, so that neither ever ends earlier.
public enum ArrivalGroups {
  /// An expert that the GPU computes when it is there, in microseconds after the layer's routing.
  public struct Arrival: Equatable, Sendable {
    public var at: Double
    /// What the GPU takes for it, without the launch.
    public var gpu: Double

    public init(at: Double, gpu: Double) {
      self.at = at
      self.gpu = gpu
    }
  }

  /// The groups that end earliest, each of them as early as it can: arrivals are estimates, so nothing
  /// waits because a later copy is expected to take longer anyway. Of equals, the longer group.
  ///
  /// - Parameters:
  ///   - arrivals: in the order of the link, in which they stay.
  ///   - gpuFree: when the GPU is through with all that comes before.
  ///   - launch: what each launch adds.
  /// - Complexity: O(n²) for n arrivals.
  public static func groups(
    of arrivals: [Arrival], gpuFree: Double, launch: Double
  ) -> [Range<Int>] {
    var ends = [gpuFree]
    var starts = [0]
    for last in arrivals.indices {
      var best = (end: Double.infinity, start: last)
      var work = 0.0
      var arrival = 0.0
      for first in (0...last).reversed() {
        work += arrivals[first].gpu
        arrival = max(arrival, arrivals[first].at)
        let end = max(ends[first], arrival) + launch + work
        if end <= best.end + tolerance { best = (min(end, best.end), first) }
      }
      ends.append(best.end)
      starts.append(best.start)
    }
    var groups: [Range<Int>] = []
    var end = arrivals.count
    while end > 0 {
      groups.append(starts[end]..<end)
      end = starts[end]
    }
    return groups.reversed()
  }

  /// When the GPU is through with groups that are launched in their order.
  public static func end(
    of groups: [Range<Int>], _ arrivals: [Arrival], gpuFree: Double, launch: Double
  ) -> Double {
    groups.reduce(gpuFree) { free, group in
      let arrival = arrivals[group].reduce(free) { max($0, $1.at) }
      return arrival + launch + arrivals[group].reduce(0) { $0 + $1.gpu }
    }
  }

  /// Sums in another order differ by less.
  private static let tolerance = 1e-9
}
