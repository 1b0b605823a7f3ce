import CGPUKernels

/// How long kernels take on a GPU of which only two figures are known: how fast it reads memory and how
/// fast it multiplies. For clocks of emulated devices; the start of a kernel is not in it.
///
/// A kernel that reads weights takes as long as reading them and multiplying, added: one of the two is small
/// wherever the other is large. All others take a fixed time, which the start of a kernel outweighs.
public struct KernelCosts: Sendable, Equatable {
  public var bytesPerMicrosecond: Double
  /// Weights times tokens that are multiplied and added in a microsecond.
  public var parameterTokensPerMicrosecond: Double
  /// What a kernel takes that reads no weights.
  public var otherMicroseconds = 1.0

  public init(bytesPerMicrosecond: Double, parameterTokensPerMicrosecond: Double) {
    self.bytesPerMicrosecond = bytesPerMicrosecond
    self.parameterTokensPerMicrosecond = parameterTokensPerMicrosecond
  }

  /// Microseconds of one launch.
  /// - Parameter arguments: the kernel's struct.
  public func microseconds(of kernel: String, _ arguments: UnsafeRawBufferPointer) -> Double {
    switch kernel {
    case "product":
      let given = arguments.loadUnaligned(as: gpu_product_arguments.self)
      return time(of: given.weights, copies: Int(given.heads), tokens: Int(given.tokens))
    case "gated":
      let given = arguments.loadUnaligned(as: gpu_gated_arguments.self)
      return [given.gate, given.up].reduce(0) {
        $0 + time(of: $1, copies: Int(given.group_count), tokens: Int(given.most_rows))
      }
    case "down":
      let given = arguments.loadUnaligned(as: gpu_down_arguments.self)
      return time(of: given.down, copies: Int(given.group_count), tokens: Int(given.most_rows))
    case "attention":
      let given = arguments.loadUnaligned(as: gpu_attention_arguments.self)
      let positions = Double(given.position + given.rows)
      let heads = Double(given.heads) / Double(max(1, given.group))
      let bytes = positions * heads * Double(given.key_stride + given.value_stride)
      let products =
        positions * Double(given.rows) * Double(given.heads)
        * Double(given.key_length + given.value_length)
      return otherMicroseconds + bytes / bytesPerMicrosecond
        + products / parameterTokensPerMicrosecond
    default: return otherMicroseconds
    }
  }

  private func time(of matrix: gpu_matrix, copies: Int, tokens: Int) -> Double {
    let tiles = Double((Int(matrix.rows) + 15) / 16)
    let bytes = tiles * Double(matrix.tile_bytes)
    let products = Double(matrix.rows) * Double(matrix.columns) * Double(max(1, tokens))
    return Double(max(1, copies))
      * (bytes / bytesPerMicrosecond + products / parameterTokensPerMicrosecond)
  }
}
