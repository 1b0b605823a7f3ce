/// A version of CUDA, as the driver supports it or PTX needs it.
public struct DriverVersion: Sendable, Comparable {
  public var major: Int
  public var minor: Int

  public init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// From the driver's own number, such as 12040 for 12.4.
  init(code: Int32) { self.init(major: Int(code) / 1000, minor: Int(code) % 1000 / 10) }

  /// What this program needs whatever its kernels say: the second version of the stream memory operations
  /// is on by itself from 12.0 on, and 12.1 is what the kernels are compiled for at least.
  public static let needed = DriverVersion(major: 12, minor: 1)

  /// As people write it.
  public var text: String { "\(major).\(minor)" }

  public static func < (left: DriverVersion, right: DriverVersion) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }

  /// The first version of CUDA whose driver reads PTX of this version (PTX ISA manual, "PTX release
  /// history"); nil for one that is not known here: the driver says then whether it reads it.
  init?(readingPTXMajor major: Int, minor: Int) {
    switch (major, minor) {
    case (7, 0...8): self.init(major: 11, minor: minor)
    case (8, 0...5): self.init(major: 12, minor: minor)
    // 8.5 served 12.5 and 12.6.
    case (8, 6...8): self.init(major: 12, minor: minor + 1)
    case (9, 0...1): self.init(major: 13, minor: minor)
    default: return nil
    }
  }
}
