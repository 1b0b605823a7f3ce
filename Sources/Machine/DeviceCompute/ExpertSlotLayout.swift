import CPUCompute

/// Where an expert's matrices lie in a slot of device memory, and how much room they take.
public struct ExpertSlotLayout: Sendable, Equatable {
  /// [width, hidden], its address counted from the slot's begin; 0.
  public let gate: DeviceMatrix
  /// [width, hidden], likewise.
  public let up: DeviceMatrix
  /// [hidden, width], likewise.
  public let down: DeviceMatrix
  /// Bytes of the three, a multiple of 256: slots that are so far apart are all aligned.
  public let byteCount: Int

  /// Matrices begin on multiples of so many bytes.
  public static let alignment = 256

  public init(gate: WeightMatrix, up: WeightMatrix, down: WeightMatrix) {
    var end = 0
    func place(_ weights: WeightMatrix) -> DeviceMatrix {
      defer { end = Self.aligned(end + weights.packedByteCount) }
      return DeviceMatrix(address: UInt64(end), shapeOf: weights)
    }
    self.gate = place(gate)
    self.up = place(up)
    self.down = place(down)
    byteCount = end
  }

  /// A number of bytes, filled up to where the next matrix may begin.
  public static func aligned(_ byteCount: Int) -> Int {
    (byteCount + alignment - 1) / alignment * alignment
  }

  /// The matrices and where they begin in the slot, in the order in which they are uploaded.
  public var matrices: [DeviceMatrix] { [gate, up, down] }
}
