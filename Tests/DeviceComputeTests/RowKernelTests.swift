import CGPUKernels
import CKernels
import Testing

@testable import CPUCompute

/// Norms, rotation, weighing, combining, copying: row by row as the processor's.
@Suite struct RowKernelTests {
  @Test(arguments: [1, 15, 16, 17, 31, 200, 1030])
  func `a norm has the processor's bits`(_ count: Int) throws {
    let (rows, segments, stride) = (3, 2, 2 * count + 3)
    let source = randomNumbers(rows * stride, seed: UInt64(count), scale: 5)
    let weight = KernelMemory(randomNumbers(count, seed: 2))
    var expected = [Float](repeating: -12345.5, count: rows * stride)
    let kernels = try processorKernels()
    for row in 0..<rows {
      for segment in 0..<segments {
        let range = (row * stride + segment * count)..<(row * stride + (segment + 1) * count)
        var y = [Float](repeating: 0, count: count)
        kernels.rms_norm(Array(source[range]), weight.base, 1e-5, &y, count)
        expected.replaceSubrange(range, with: y)
      }
    }
    for seed in threadOrders {
      let x = KernelMemory(source)
      let y = KernelMemory(count: rows * stride)
      var arguments = gpu_rms_norm_arguments()
      (arguments.x, arguments.weight, arguments.y) = (x.address, weight.address, y.address)
      (arguments.x_stride, arguments.y_stride) = (UInt32(stride), UInt32(stride))
      (arguments.rows, arguments.segments) = (UInt32(rows), UInt32(segments))
      (arguments.columns, arguments.epsilon) = (UInt32(count), 1e-5)
      try emulate("rms_norm", grid: (rows, segments, 1), block: 64, arguments, seed: seed)
      #expect(bits(y.buffer) == bits(expected))
      // In place.
      arguments.y = x.address
      try emulate("rms_norm", grid: (rows, segments, 1), block: 96, arguments, seed: seed)
      for row in 0..<rows {
        let range = (row * stride)..<(row * stride + segments * count)
        #expect(bits(x.buffer[range]) == bits(expected[range]))
      }
    }
  }

  @Test(arguments: [1, 17, 64, 333])
  func `a change is added before the norm, and alone where no norm is wanted`(_ count: Int) throws {
    let rows = 2
    let source = randomNumbers(rows * count, seed: 3, scale: 4)
    let change = KernelMemory(randomNumbers(rows * count, seed: 4, scale: 4))
    let weight = KernelMemory(randomNumbers(count, seed: 5))
    var sums = source
    let kernels = try processorKernels()
    kernels.add_scaled(&sums, change.base, 1, sums.count)
    var expected: [Float] = []
    for row in 0..<rows {
      var y = [Float](repeating: 0, count: count)
      kernels.rms_norm(Array(sums[(row * count)...].prefix(count)), weight.base, 1e-6, &y, count)
      expected += y
    }
    for seed in threadOrders {
      let x = KernelMemory(source)
      let y = KernelMemory(count: rows * count)
      var arguments = gpu_rms_norm_arguments()
      (arguments.x, arguments.weight, arguments.y) = (x.address, weight.address, y.address)
      arguments.change = change.address
      (arguments.x_stride, arguments.y_stride) = (UInt32(count), UInt32(count))
      (arguments.change_stride, arguments.segments) = (UInt32(count), 1)
      (arguments.rows, arguments.columns) = (UInt32(rows), UInt32(count))
      arguments.epsilon = 1e-6
      try emulate("rms_norm", grid: (rows, 1, 1), block: 32, arguments, seed: seed)
      #expect(bits(x.buffer) == bits(sums))
      #expect(bits(y.buffer) == bits(expected))
      let alone = KernelMemory(source)
      (arguments.x, arguments.y) = (alone.address, 0)
      try emulate("rms_norm", grid: (rows, 1, 1), block: 32, arguments, seed: seed)
      #expect(bits(alone.buffer) == bits(sums))
    }
  }

  @Test func `a norm of a row with a NaN is NaN and spoils no other row`() throws {
    let count = 40
    var source = randomNumbers(2 * count, seed: 6)
    source[7] = .nan
    let x = KernelMemory(source)
    let weight = KernelMemory([Float](repeating: 1, count: count))
    var arguments = gpu_rms_norm_arguments()
    (arguments.x, arguments.weight, arguments.y) = (x.address, weight.address, x.address)
    (arguments.x_stride, arguments.y_stride) = (UInt32(count), UInt32(count))
    (arguments.rows, arguments.segments, arguments.columns) = (2, 1, UInt32(count))
    try emulate("rms_norm", grid: (2, 1, 1), block: 32, arguments)
    #expect(x.buffer[..<count].allSatisfy { $0.isNaN })
    #expect(x.buffer[count..<2 * count].allSatisfy { !$0.isNaN })
  }

  @Test(arguments: [1, 5, 16, 17, 33, 64], [true, false])
  func `rotated heads have the processor's bits`(_ pairs: Int, _ halves: Bool) throws {
    let (rows, heads, offset) = (3, 2, 4)
    let headLength = offset + 2 * pairs + 1
    let (stride, angleStride) = (heads * headLength + 2, pairs + 5)
    let source = randomNumbers(rows * stride, seed: UInt64(pairs), scale: 3)
    let cosines = KernelMemory(randomNumbers(rows * angleStride, seed: 8))
    let sines = KernelMemory(randomNumbers(rows * angleStride, seed: 9))
    var expected = source
    let kernels = try processorKernels()
    expected.withUnsafeMutableBufferPointer { numbers in
      guard let base = numbers.baseAddress else { return }
      for row in 0..<rows {
        for head in 0..<heads {
          kernels.rotate(
            base + row * stride + head * headLength + offset, cosines.base + row * angleStride,
            sines.base + row * angleStride, pairs, halves ? 1 : 0)
        }
      }
    }
    for seed in threadOrders {
      let x = KernelMemory(source)
      var arguments = gpu_rotate_arguments()
      (arguments.x, arguments.cosines, arguments.sines) = (
        x.address, cosines.address, sines.address
      )
      (arguments.x_stride, arguments.rows) = (UInt32(stride), UInt32(rows))
      (arguments.heads, arguments.head_length) = (UInt32(heads), UInt32(headLength))
      (arguments.offset, arguments.pairs) = (UInt32(offset), UInt32(pairs))
      (arguments.halves, arguments.angle_stride) = (halves ? 1 : 0, UInt32(angleStride))
      try emulate("rotate", grid: (rows, heads, 1), block: 32, arguments, seed: seed)
      #expect(bits(x.buffer) == bits(expected))
    }
  }

  @Test func `rows are weighed by the logistic function of their gates`() throws {
    var gates = stride(from: Float(-110), through: 110, by: 0.73).map { $0 }
    gates += hardNumbers + [88.5, -88.5, 88.71, -88.71, 88.73, -88.73, 87.2, -87.2, 87.4, -87.4]
    let columns = 5
    let source = randomNumbers(gates.count * columns, seed: 10)
    var factors = gates
    try processorKernels().sigmoid(&factors, factors.count)
    let expected = source.indices.map { source[$0] * factors[$0 / columns] }
    let gate = KernelMemory(gates.flatMap { [$0, 99] })
    for seed in threadOrders {
      let x = KernelMemory(source)
      var arguments = gpu_weigh_arguments()
      (arguments.x, arguments.gate) = (x.address, gate.address)
      (arguments.rows, arguments.columns) = (UInt32(gates.count), UInt32(columns))
      (arguments.x_stride, arguments.gate_stride) = (UInt32(columns), 2)
      try emulate("weigh", grid: (gates.count, 1, 1), block: 3, arguments, seed: seed)
      #expect(bits(x.buffer) == bits(expected))
    }
  }

  @Test(arguments: [1, 31, 130], [false, true])
  func `experts' rows are summed in rank order from both memories`(
    _ columns: Int, _ hasShared: Bool
  ) throws {
    let (tokens, ranks, stride) = (3, 4, columns + 2)
    let rows = tokens * ranks
    let device = KernelMemory(randomNumbers(rows * stride, seed: 11, scale: 9))
    let host = KernelMemory(randomNumbers(rows * stride, seed: 12, scale: 9))
    let shared = KernelMemory(randomNumbers(tokens * stride, seed: 13))
    let weights = KernelMemory(randomNumbers(rows, seed: 14))
    // Every third row is the host's; rows lie in another order than pairs.
    let origins = (0..<rows).map { UInt32(($0 * 5 + 1) % rows) | ($0 % 3 == 0 ? 1 << 31 : 0) }
    let kernels = try processorKernels()
    var expected: [Float] = []
    for token in 0..<tokens {
      var y = [Float](repeating: 0, count: columns)
      for pair in (token * ranks)..<((token + 1) * ranks) {
        let memory = origins[pair] >> 31 == 1 ? host : device
        let row = memory.base + Int(origins[pair] & 0x7fff_ffff) * stride
        kernels.add_scaled(&y, row, weights.buffer[pair], columns)
      }
      if hasShared { kernels.add_scaled(&y, shared.base + token * stride, 1, columns) }
      expected += y
    }
    let table = KernelMemory(origins)
    for seed in threadOrders {
      let y = KernelMemory(count: tokens * columns)
      var arguments = gpu_combine_arguments()
      (arguments.device_rows, arguments.host_rows) = (device.address, host.address)
      (arguments.origins, arguments.weights) = (table.address, weights.address)
      (arguments.shared, arguments.y) = (hasShared ? shared.address : 0, y.address)
      (arguments.row_stride, arguments.tokens) = (UInt32(stride), UInt32(tokens))
      (arguments.ranks, arguments.columns) = (UInt32(ranks), UInt32(columns))
      (arguments.y_stride, arguments.shared_stride) = (UInt32(columns), UInt32(stride))
      try emulate(
        "combine", grid: (tokens, (columns + 63) / 64, 1), block: 64, arguments, seed: seed)
      #expect(bits(y.buffer) == bits(expected))
    }
  }

  @Test func `columns are copied and nothing beside them`() throws {
    let (rows, heads, columns) = (3, 2, 37)
    let x = KernelMemory(randomNumbers(rows * 200, seed: 15))
    let y = KernelMemory(count: rows * 100)
    var expected = Array(y.buffer)
    for row in 0..<rows {
      for head in 0..<heads {
        for column in 0..<columns {
          expected[row * 100 + head * 50 + column] = x.buffer[row * 200 + head * 90 + column]
        }
      }
    }
    let arguments = gpu_copy_columns_arguments(
      x: x.address, y: y.address, rows: UInt32(rows), heads: UInt32(heads),
      columns: UInt32(columns), x_stride: 200, x_head_stride: 90, y_stride: 100, y_head_stride: 50)
    try emulate("copy_columns", grid: (rows, heads, 1), block: 32, arguments, seed: 3)
    #expect(bits(y.buffer) == bits(expected))
  }

  @Test func `a word is published`() throws {
    let word = KernelMemory<UInt32>([1, 2, 3])
    let arguments = gpu_publish_arguments(word: word.address + 4, value: 0xffff_fffe)
    try emulate("publish", grid: (1, 1, 1), block: 1, arguments)
    #expect(Array(word.buffer) == [1, 0xffff_fffe, 3])
  }
}
