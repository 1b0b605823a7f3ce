/// What the system has and what this process holds, in bytes.
public enum MemoryStatus {
  /// Memory that can be had without swapping and without leaving what a container allows, if the system
  /// says.
  public static func availableBytes() -> Int? { availableBytes(.live) }

  static func availableBytes(_ files: SystemFiles) -> Int? {
    let system = kibibytes("MemAvailable:", in: "/proc/meminfo", files)
    return [system, ControlGroups(files).availableBytes].compactMap { $0 }.min()
  }

  /// Resident memory of this process now, mapped files included.
  public static func residentBytes() -> Int? { kibibytes("VmRSS:", in: "/proc/self/status") }

  /// The largest resident memory so far.
  public static func peakResidentBytes() -> Int? { kibibytes("VmHWM:", in: "/proc/self/status") }

  private static func kibibytes(
    _ key: String, in path: String, _ files: SystemFiles = .live
  ) -> Int? {
    files.field(key, in: path).flatMap { Int($0) }.map { $0 * 1024 }
  }
}
