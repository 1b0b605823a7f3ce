import CPUCompute
import DeviceCompute
import Devices
import EmulatedDevice
import Tensors
import TestSupport
import Testing

/// An emulated device with a stream, what is launched on it, and the processor it is compared with.
final class DeviceWorld {
  let device: EmulatedDevice
  let operations: DeviceOperations
  let stream: any DeviceStream
  let compute: CPUBackend
  private var memories: [DeviceMemory] = []
  private var hostMemories: [PinnedMemory] = []

  /// - Parameter seed: of the order of blocks and threads; nil: as they come.
  init(seed: UInt64? = nil) throws {
    device = try EmulatedDevice(.init(memoryByteCount: 64 << 20, seed: seed))
    operations = try DeviceOperations(device)
    stream = try device.makeStream(name: "tests")
    compute = try CPUBackend(threadCount: 1)
  }

  /// Bytes in device memory, kept as long as the world.
  func upload(_ bytes: UnsafeRawBufferPointer) throws -> UInt64 {
    let memory = try device.allocate(byteCount: max(bytes.count, 1), purpose: "a test")
    memories.append(memory)
    try stream.copyPageable(from: bytes, to: memory.address)
    return memory.address
  }

  /// Numbers in device memory.
  func upload<Number: BitwiseCopyable>(_ numbers: [Number]) throws -> UInt64 {
    try numbers.withUnsafeBytes { try upload($0) }
  }

  /// Device memory filled with a pattern, so that what is not written shows.
  func memory(byteCount: Int) throws -> UInt64 {
    try upload([UInt8](repeating: 0xA5, count: byteCount))
  }

  /// Host memory that kernels reach, filled with the same pattern.
  func hostMemory(byteCount: Int) throws -> PinnedMemory {
    let memory = try device.allocatePinned(byteCount: max(byteCount, 1), purpose: "a test")
    memory.base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: max(byteCount, 1))
    hostMemories.append(memory)
    return memory
  }

  /// Numbers in device memory as they are when everything submitted is done.
  func download<Number: BitwiseCopyable>(
    _ address: UInt64, count: Int, as type: Number.Type
  ) throws -> [Number] {
    let byteCount = count * MemoryLayout<Number>.stride
    let target = try hostMemory(byteCount: byteCount)
    try stream.copy(from: address, to: target.span(0, byteCount: byteCount))
    try stream.synchronize()
    return (0..<count).map {
      target.base.load(fromByteOffset: $0 * MemoryLayout<Number>.stride, as: type)
    }
  }

  /// Rows of F32 in device memory.
  func rows(_ values: [[Float]]) throws -> DeviceRows {
    DeviceRows(
      address: try upload(values.flatMap { $0 }), rowCount: values.count,
      columnCount: values[0].count)
  }

  /// The packed copy of a matrix in device memory.
  func matrix(_ weights: HostWeights) throws -> DeviceMatrix {
    DeviceMatrix(address: try upload(weights.tiles(by: compute)), shapeOf: weights.matrix)
  }

  /// Records of rows, quantised by the device.
  func records(_ rows: DeviceRows, width: Int) throws -> DeviceRecords {
    var records = DeviceRecords(
      address: 0, rowCount: rows.rowCount, columnCount: rows.columnCount, width: width)
    records.address = try memory(byteCount: records.byteCount)
    try operations.quantize(rows, into: records, on: stream)
    return records
  }
}

/// Rows of F32 on the host for the processor's operations.
final class HostRows {
  let activation: Activation
  private let memory: UnsafeMutablePointer<Float>

  init(_ values: [[Float]]) {
    let columns = values[0].count
    memory = .allocate(capacity: max(values.count * columns, 1) + 16)
    memory.initialize(repeating: -12345.5, count: values.count * columns + 16)
    for (index, value) in values.joined().enumerated() { memory[index] = value }
    activation = Activation(
      base: memory, rowCount: values.count, columnCount: columns, stride: columns)
  }

  convenience init(rowCount: Int, columnCount: Int) {
    self.init(
      [[Float]](repeating: [Float](repeating: -12345.5, count: columnCount), count: rowCount))
  }

  deinit { memory.deallocate() }

  var values: [Float] { (0..<activation.rowCount).flatMap { activation.values(ofRow: $0) } }
}

/// Hard weights on the host.
final class HostWeights {
  let matrix: WeightMatrix
  private let native: UnsafeMutableRawPointer

  init(
    _ type: ElementType, rows: Int, columns: Int, seed: UInt64, isTame: Bool = false
  ) throws {
    var hard = HardRows(seed: seed)
    let bytes = hard.weights(type, rows: rows, columns: columns, isTame: isTame)
    native = .allocate(byteCount: bytes.count + 4096, alignment: 64)
    for (index, byte) in bytes.enumerated() {
      native.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    matrix = try #require(
      WeightMatrix(base: native, type: type, rowCount: rows, columnCount: columns))
  }

  deinit { native.deallocate() }

  func tiles(by compute: CPUBackend) -> [UInt64] {
    let count = (matrix.packedByteCount + 7) / 8
    let target = UnsafeMutableRawPointer.allocate(byteCount: 8 * count, alignment: 64)
    defer { target.deallocate() }
    compute.copyTiles(0..<matrix.tileCount, of: matrix, into: target)
    return (0..<count).map { target.load(fromByteOffset: 8 * $0, as: UInt64.self) }
  }
}

/// Every type that products are computed with.
let productTypes = ElementType.allCases.filter(\.isReadable)

/// Hard rows of activations.
func hardActivations(_ count: Int, columns: Int, seed: UInt64, finite: Bool = false) -> [[Float]] {
  var hard = HardRows(seed: seed)
  return (0..<count).map { hard.activations(columns: columns, token: $0, finite: finite) }
}
