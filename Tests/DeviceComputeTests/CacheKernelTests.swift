import CGPUKernels
import Tensors
import Testing

@testable import CPUCompute

/// Writing and reading the KV cache, byte by byte as the processor does.
@Suite struct CacheKernelTests {
  private let heads = 2
  private let rows = 5
  private let position = 3
  private let capacity = 11

  /// Rows of ordinary and of hard numbers.
  private func source(length: Int) throws -> ActivationBuffer {
    let buffer = try ActivationBuffer(rowCount: rows, columnCount: heads * length)
    let numbers = randomNumbers(rows * heads * length, seed: UInt64(length), scale: 40)
    for (index, number) in numbers.enumerated() {
      let row = index / (heads * length)
      let hard = hardNumbers[index % hardNumbers.count]
      buffer.activation.base[index] =
        switch row {
        case 1: hard
        case 2: number * 1e-6
        case 3: index % 9 == 4 ? .nan : number
        case 4: number * 1e-30 * 1e-12
        default: number
        }
    }
    return buffer
  }

  @Test(
    arguments: [ElementType.f32, .f16, .q8_0], [1, 15, 31, 32, 33, 40, 64, 576])
  func `rows are stored as the processor stores them, and read back`(
    _ type: ElementType, _ length: Int
  ) throws {
    let compute = try CPUBackend(threadCount: 1)
    let x = try source(length: length)
    let cache = try CacheRows(type: type, headCount: heads, length: length, capacity: capacity)
    compute.store(x.activation, in: cache, from: position)
    let headStride = capacity * cache.headByteCount + 8
    for seed in threadOrders {
      let memory = KernelMemory([UInt8](repeating: 0xee, count: heads * headStride))
      var arguments = gpu_store_rows_arguments()
      arguments.x = UInt64(UInt(bitPattern: x.activation.base))
      arguments.cache = memory.address
      arguments.head_stride_bytes = UInt64(headStride)
      (arguments.x_stride, arguments.rows) = (UInt32(heads * length), UInt32(rows))
      (arguments.heads, arguments.length) = (UInt32(heads), UInt32(length))
      (arguments.position, arguments.head_bytes) = (
        UInt32(position), UInt32(cache.headByteCount)
      )
      arguments.element_type = type.rawValue
      try emulate("store_rows", grid: (rows, heads, 1), block: 64, arguments, seed: seed)
      for head in 0..<heads {
        for row in 0..<rows {
          let offset = head * headStride + (position + row) * cache.headByteCount
          let found = try read(
            memory.address + UInt64(offset), type: type, length: length, cache: cache, seed: seed)
          let expected = try stored(cache, position: position + row, head: head)
          #expect(bits(found) == bits(expected.prefix(length)))
          if type == .q8_0 || row != 1 && row != 3 {
            // No NaN is kept, whose bits may differ: the padding's bytes count too.
            let bytes = memory.buffer[offset..<offset + cache.headByteCount]
            let others = UnsafeBufferPointer(
              start: cache.pointer(position: position + row, head: head),
              count: cache.headByteCount)
            #expect(Array(bytes) == Array(others))
          }
        }
        // Nothing beside the rows is touched.
        let before = head * headStride..<head * headStride + position * cache.headByteCount
        let after = head * headStride + (position + rows) * cache.headByteCount
        #expect(memory.buffer[before].allSatisfy { $0 == 0xee })
        #expect(memory.buffer[after..<(head + 1) * headStride].allSatisfy { $0 == 0xee })
      }
    }
  }

  /// One cached row by the kernel.
  private func read(
    _ address: UInt64, type: ElementType, length: Int, cache: CacheRows, seed: UInt64
  ) throws -> [Float] {
    let first = 2
    let y = KernelMemory(count: length)
    let arguments = gpu_load_rows_arguments(
      cache: address - UInt64(first * cache.headByteCount), y: y.address, first: UInt32(first),
      rows: 1, columns: UInt32(length), element_type: type.rawValue,
      row_bytes: UInt32(cache.headByteCount), y_stride: UInt32(length))
    try emulate("load_rows", grid: (1, 1, 1), block: 32, arguments, seed: seed)
    return Array(y.buffer)
  }

  /// One cached row by the processor's kernel.
  private func stored(_ cache: CacheRows, position: Int, head: Int) throws -> [Float] {
    var numbers = [Float](repeating: 0, count: cache.storedLength)
    let code = try processorKernels().dequantize(
      cache.type.rawValue, cache.pointer(position: position, head: head), &numbers, numbers.count)
    #expect(code == 0)
    return numbers
  }
}
