import ArgumentParser
import ExpertCaching
import ExpertDirection
import ExpertScheduling
import ExpertSimulation

/// Parts of systems that options put in the place of the systems' own.
struct SystemWish {
  var eviction: EvictionName?
  var admission: Admission?
  var prefetchSize: Int?

  /// The systems with these names and parts, in order.
  ///
  /// - Throws: `ValidationError` where a part has a meaning for none of them.
  func systems(_ names: [SchedulerName], cacheRatio: Double) throws -> [SystemDescription] {
    let systems = names.map { system($0, cacheRatio: cacheRatio) }
    let all = names.map(\.rawValue).joined(separator: ", ")
    if let prefetchSize, prefetchSize > 0, systems.allSatisfy({ $0.prefetching == .off }) {
      throw ValidationError(
        "--prefetch-size \(prefetchSize) has no meaning for \(all): no copies ahead are made.")
    }
    if let admission {
      let changing = systems.filter { $0.eviction != nil }
      guard !changing.isEmpty else {
        throw ValidationError(
          "--admission \(admission.rawValue) has no meaning for \(all): what is resident never "
            + "changes.")
      }
      if admission == .bypass, !changing.contains(where: { $0.eviction?.hasBypass == true }) {
        throw ValidationError(
          "--admission bypass has no meaning with the eviction "
            + "'\(changing[0].eviction?.rawValue ?? "")', which always admits.")
      }
    }
    return systems
  }

  private func system(_ name: SchedulerName, cacheRatio: Double) -> SystemDescription {
    var system = SystemDescription(name, cacheRatio: cacheRatio)
    if let eviction { system.eviction = eviction }
    if let admission { system.admission = admission }
    // What is reported is what is done.
    if system.eviction?.hasBypass == false { system.admission = .forced }
    if let prefetchSize, system.prefetching != .off {
      system.prefetchSize = prefetchSize
      if prefetchSize == 0 { system.prefetching = .off }
    }
    return system
  }
}
