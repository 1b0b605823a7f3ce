import CBundledModel
import CPUCompute
import CUDADriver

/// What `--version` says.
enum Version {
  static let number = "0.1.0"

  /// The version and the commit, which is unknown where the build did not say it.
  static var short: String {
    let commit = hybrimoe_commit().map { String(cString: $0) } ?? "unknown"
    return "hybrimoe \(number) (commit \(commit))"
  }

  static var text: String {
    let available = InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue)
    return """
      \(short)
      processor  \(Processor.name)
      features   \(Processor.features.joined(separator: " "))
      kernels    \(InstructionSet.best.rawValue) (of \(available.joined(separator: ", ")))
      driver     \(CUDADevice.driverVersion().map { "NVIDIA, CUDA \($0)" } ?? "none found")
      """
  }
}

/// What the system says of the processor.
enum Processor {
  /// The model's name, as the system gives it.
  static var name: String { field("model name") ?? "unknown processor" }

  /// The features that the kernels use now or may use, of those that the processor has.
  static var features: [String] {
    let known = [
      "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx_vnni",
      "avx512_bf16", "amx_int8", "amx_bf16",
    ]
    let found = Set((field("flags") ?? "").split(separator: " ").map(String.init))
    return known.filter(found.contains)
  }

  private static func field(_ name: String) -> String? {
    guard let text = try? InputFile.text("/proc/cpuinfo") else { return nil }
    for line in text.split(separator: "\n", maxSplits: 60) where line.hasPrefix(name) {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    return nil
  }
}
