/// How many threads of computation this process may use.
public enum ProcessorCount {
  /// Physical performance cores that this process may run on: its affinity mask, one of each pair of
  /// hyper-threads, and no more than the container's quota allows. At least 1.
  public static func usableCores() -> Int {
    ThreadPlacement(.current(), affinity: .none).threadCount
  }
}
