import Experts
import Placement
import TestSupport
import Testing

/// A shape of `Profiles/shapes`.
func shape(_ name: String) throws -> ModelShape {
  try ModelShape(text: profileText("shapes/\(name)"), file: name)
}

/// A machine of `Profiles/machines` with its own host or another one.
func machine(_ name: String, host: String? = nil) throws -> MachineProfile {
  let file = try GPUProfile.machine(text: profileText("machines/\(name)"), file: name)
  switch file.host {
  case .described(let described) where host == nil:
    return MachineProfile(gpu: file.gpu, host: described)
  case .named(let named):
    let hostName = host ?? named
    return MachineProfile(
      gpu: file.gpu, host: try HostProfile(text: profileText("hosts/\(hostName)"), file: hostName))
  case .described:
    return MachineProfile(
      gpu: file.gpu, host: try HostProfile(text: profileText("hosts/\(host ?? "")")))
  }
}

struct ShapeTests {
  /// Small and large experts in MB, and all experts in GB, as arithmetic by hand gives them.
  static let sizes: [(name: String, small: Double, large: Double, all: Double)] = [
    ("mixtral-8x7b", 99.09, 114.23, 27.3), ("qwen2-57b-a14b", 15.48, 17.85, 29.9),
    ("deepseek-v2-lite", 5.226, 6.308, 9.53), ("qwen3-30b-a3b", 2.654, 3.060, 17.6),
    ("qwen3-235b-a22b", 10.62, 12.24, 137), ("deepseek-v3", 24.77, 28.56, 394),
    ("gpt-oss-20b", 13.25, 13.25, 10.2), ("gpt-oss-120b", 13.25, 13.25, 61.1),
    ("glm-4.5-air", 10.45, 12.62, 66.0),
  ]

  @Test(arguments: sizes)
  func `the sizes of experts are those of published files`(
    _ size: (name: String, small: Double, large: Double, all: Double)
  ) throws {
    let shape = try shape(size.name)
    let bytes = (0..<shape.moeLayerCount).map { shape.expertFootprint(layer: $0).hostBytes }
    #expect(abs(Double(bytes.min() ?? 0) / 1e6 / size.small - 1) < 0.001)
    #expect(abs(Double(bytes.max() ?? 0) / 1e6 / size.large - 1) < 0.001)
    #expect(abs(Double(shape.expertBytes) / 1e9 / size.all - 1) < 0.005)
  }
}
