import ArgumentParser
import EmulatedDevice

/// A failure that an emulated device is to have, so that anyone can see what becomes of a run then.
struct FailureWish: ExpressibleByArgument {
  let failure: EmulatedFailure

  /// `lost-at-launch:N`, `lost-at-copy:N`, `memory:BYTES` (device memory ends there),
  /// `pinning:BYTES` (no more host memory can be pinned) or `delay:N:MICROSECONDS` (of the Nth
  /// copy).
  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let numbers = parts.dropFirst().compactMap(Int.init).filter { $0 >= 0 }
    guard numbers.count == parts.count - 1, let first = numbers.first else { return nil }
    switch (parts[0], numbers.count) {
    case ("lost-at-launch", 1): failure = .launch(number: first)
    case ("lost-at-copy", 1): failure = .copy(number: first)
    case ("memory", 1): failure = .allocationsBeyond(byteCount: first)
    case ("pinning", 1): failure = .pinningBeyond(byteCount: first)
    case ("delay", 2):
      failure = .copyDelayed(number: first, microseconds: Double(numbers[1]))
    default: return nil
    }
  }
}
