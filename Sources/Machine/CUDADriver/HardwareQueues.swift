import Glibc

/// The device's own queues, which the driver spreads streams over. Streams that share one run in the order in
/// which work came, so that one that waits for the host holds the others up for ever.
///
/// The driver makes 8 unless the environment says otherwise (CUDA C++ Programming Guide, "CUDA Environment
/// Variables"); some training programs want 1, and their users set that for all programs.
enum HardwareQueues {
  static let variable = "CUDA_DEVICE_MAX_CONNECTIONS"
  private static let most = 32
  private static let own = 8
  /// Streams that must not hold each other up: the dense part, experts, the link and times.
  private static let least = 4

  /// Asks for as many queues as there can be, unless the user asked for a number; to be called before the
  /// driver is started, which reads the variable then.
  ///
  /// - Returns: how many there are.
  static func ask() -> Int {
    let value = getenv(variable).map { String(cString: $0) }
    if value == nil { setenv(variable, String(most), 1) }
    return count(value)
  }

  /// How many queues there are for what the user set.
  static func count(_ value: String?) -> Int {
    guard let value else { return most }
    guard let count = Int(value), (1...most).contains(count) else { return own }
    return count
  }

  /// Why streams must not wait for the host; nil where they may.
  static func shortage(_ count: Int) -> String? {
    guard count < least else { return nil }
    return
      "\(variable) is \(count), so that streams hold each other up and none of them may wait for the CPU; "
      + "each layer costs some microseconds more. Unset the variable, or set it to \(most)"
  }
}
