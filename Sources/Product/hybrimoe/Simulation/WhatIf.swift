import ExpertCaching
import ExpertDirection
import ExpertSimulation
import Experts
import Placement

/// A change of a machine that `simulate` tries, to tell what would help most.
enum WhatIf: CaseIterable {
  case link, cpu, gpu, slots

  var title: String {
    switch self {
    case .link: "a link twice as fast"
    case .cpu: "a CPU twice as fast"
    case .gpu: "a GPU twice as fast"
    case .slots: "slots for 10 % more of the experts"
    }
  }

  func apply(to profile: inout MachineProfile, _ system: inout SystemDescription, experts: Int) {
    switch self {
    case .link:
      profile.gpu.linkBytesPerMicrosecond *= 2
      profile.host.linkBytesPerMicrosecond *= 2
    case .cpu:
      for type in profile.host.cpu.keys {
        profile.host.cpu[type]?.bytesPerMicrosecond *= 2
        profile.host.cpu[type]?.parameterTokensPerMicrosecond *= 2
        profile.host.cpu[type]?.firstMicroseconds /= 2
      }
    case .gpu:
      profile.gpu.bytesPerMicrosecond *= 2
      profile.gpu.parameterTokensPerMicrosecond *= 2
      profile.gpu.layerMicroseconds /= 2
      profile.gpu.expertMicroseconds /= 2
      profile.gpu.launchMicroseconds /= 2
    case .slots:
      let slots =
        system.cacheSlots
        ?? CacheConfiguration.slots(capacity: system.cacheRatio, experts: experts)
      system.cacheSlots = min(experts, slots + max(1, (experts + 5) / 10))
    }
  }
}
