import DeviceCompute
import Devices
import Testing

@testable import CPUCompute

/// Rows become records on the device as on the processor, byte for byte.
@Suite struct RecordKernelTests {
  /// The records that the processor writes.
  private func expected(_ values: [[Float]], width: Int) throws -> [UInt8] {
    let kernels = try processorKernels()
    let columns = values[0].count
    let byteCount = RowRecords.byteCount(rowCount: 1, columnCount: columns, width: width)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { memory.deallocate() }
    return values.flatMap { row in
      kernels.quantize(row, columns, width, 0, width == 0 ? columns : columns / width, memory)
      return (0..<byteCount).map { memory.load(fromByteOffset: $0, as: UInt8.self) }
    }
  }

  @Test(arguments: [256, 32, 0])
  func `records have the processor's bytes in every part, and so has their copy`(
    _ width: Int
  ) throws {
    for seed in [nil, 5, 6] as [UInt64?] {
      let world = try DeviceWorld(seed: seed)
      for blocks in [1, 2, 3, 7, 9, 17] {
        let columns = width == 0 ? blocks * 37 : blocks * width
        let values = hardActivations(4, columns: columns, seed: UInt64(blocks))
        var records = DeviceRecords(
          address: 0, rowCount: 4, columnCount: columns, width: width)
        records.address = try world.memory(byteCount: records.byteCount)
        let copy = try world.hostMemory(byteCount: records.byteCount)
        try world.operations.quantize(
          try world.rows(values), into: records, copy: copy.deviceAddress, on: world.stream)
        let found = try world.download(
          records.address, count: records.byteCount, as: UInt8.self)
        let wanted = try expected(values, width: width)
        #expect(found == wanted, "\(blocks) blocks, order \(seed ?? 0)")
        let copied = UnsafeRawBufferPointer(start: copy.base, count: records.byteCount)
        #expect(copied.elementsEqual(wanted), "the copy of \(blocks) blocks")
      }
    }
  }

  @Test func `heads of rows that lie apart are quantised head by head`() throws {
    let world = try DeviceWorld()
    let (rows, heads, columns, headStride) = (3, 2, 64, 70)
    let values = hardActivations(rows, columns: 150, seed: 9)
    let x = try world.rows(values)
    let first = DeviceRows(
      address: x.address + 4, rowCount: rows, columnCount: columns, stride: x.stride)
    var records = DeviceRecords(
      address: 0, rowCount: heads * rows, columnCount: columns, width: 32)
    records.address = try world.memory(byteCount: records.byteCount)
    try world.operations.quantize(
      DeviceHeads(first: first, headCount: heads, headStride: headStride), into: records,
      on: world.stream)
    let parts = (0..<heads).flatMap { head in
      values.map { Array($0[(1 + head * headStride)...].prefix(columns)) }
    }
    let found = try world.download(records.address, count: records.byteCount, as: UInt8.self)
    #expect(try found == expected(parts, width: 32))
  }

  @Test(arguments: [256, 32])
  func `scales end where the processor's do, and halves are rounded to even`(_ width: Int) throws {
    let world = try DeviceWorld()
    let tiny = Float(sign: .plus, exponent: -100, significand: 1)
    let largest: [Float] = [
      tiny, tiny.nextDown, tiny / 2, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 127,
      .infinity, .nan,
    ]
    // Each block's largest number, and beside it halves of what becomes 1.
    let values = largest.map { top in
      (0..<width).map { index -> Float in
        if index == 5 { return -top }
        let halves = Float(index % 64) - 31.5
        return top == 127 ? halves : halves / 127 * (top.isFinite ? top : 1)
      }
    }
    let records = try world.records(try world.rows(values), width: width)
    let found = try world.download(records.address, count: records.byteCount, as: UInt8.self)
    #expect(try found == expected(values, width: width))
  }
}
