import Devices
import EmulatedDevice
import Testing

/// Numbers of all kinds, the same each time.
private func drawn(_ count: Int) -> [UInt32] {
  var state: UInt64 = 5
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt32(truncatingIfNeeded: state >> 29)
  }
}

/// The numbers after a kernel.
private func run(
  _ name: String, on values: [UInt32], grid: Int = 1, block: Int
) throws -> [UInt32] {
  let world = try World(count: values.count)
  world.set(values)
  let stream = try world.stream("one")
  try world.upload(stream, count: values.count)
  try world.launch(name, on: stream, grid: .init(grid), block: .init(block))
  return try world.result(values.count)
}

@Test func `halves become F32 and back as IEEE says`() throws {
  // All exponents and signs, with random tails and with those that lie between two halves.
  let tails = drawn(65536)
  var inputs = (0..<65536 as Range<UInt32>).map { $0 << 16 | tails[Int($0)] & 0xffff }
  for i in 0..<32768 {
    inputs[2 * i] = inputs[2 * i] & 0xffff_e000 | [0x1000, 0xfff, 0x1001][i % 3]
  }
  let result = try run(
    "checking_halves", on: Array(repeating: 0, count: 65536) + inputs, grid: 256, block: 256)
  var wrong: [Int] = []
  for i in 0..<65536 {
    let half = Float16(bitPattern: UInt16(i))
    let float = Float(bitPattern: result[i])
    if half.isNaN ? !float.isNaN : Float(half).bitPattern != result[i] { wrong.append(i) }
    let back = Float16(bitPattern: UInt16(result[65536 + i]))
    let expected = Float16(Float(bitPattern: inputs[i]))
    if expected.isNaN ? !back.isNaN : expected.bitPattern != back.bitPattern {
      wrong.append(65536 + i)
    }
  }
  #expect(wrong.isEmpty)
}

@Test func `integer dot products wrap and know their signs`() throws {
  let inputs = drawn(4096) + [.max, .max, .max, 0, 0x8080_8080, 0x8080_8080, 0x7fff_ffff, 0x7777]
  let result = try run("checking_integers", on: inputs, grid: inputs.count / 8, block: 2)
  func bytes(_ x: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: x >> (8 * $0)) } }
  func signed(_ x: UInt32) -> [Int] { bytes(x).map { Int(Int8(bitPattern: $0)) } }
  for i in stride(from: 0, to: inputs.count, by: 4) {
    let (p, q, r, s) = (inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3])
    let dot = zip(signed(p), signed(q)).reduce(0) { $0 + $1.0 * $1.1 }
    let unsigned = zip(bytes(p), bytes(q)).reduce(0) { $0 + Int($1.0) * Int($1.1) }
    let halves = [p, p >> 16].map { Int(Int16(truncatingIfNeeded: $0)) }
    let dot2 = halves[0] * signed(q)[0] + halves[1] * signed(q)[1]
    let both = bytes(p) + bytes(q)
    var permuted: UInt32 = 0
    for place in 0..<4 { permuted |= UInt32(both[Int(s >> (4 * place) & 7)]) << (8 * place) }
    let expected = [dot, unsigned, dot2].map { UInt32(truncatingIfNeeded: Int(r) + $0) }
    #expect(Array(result[i..<i + 4]) == expected + [permuted])
  }
}

@Test func `F32 is rounded to integers half to even, within their range`() throws {
  let cases: [(Float, Int32)] = [
    (0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (126.49, 126), (3e9, .max), (-3e9, .min),
    (.nan, 0), (-.infinity, .min), (16_777_215, 16_777_215),
  ]
  let result = try run(
    "checking_rounding", on: cases.map { $0.0.bitPattern }, block: cases.count)
  #expect(result == cases.map { UInt32(bitPattern: $0.1) })
}

@Test func `a warp multiplies matrices of bytes`() throws {
  let inputs = drawn(192) + Array(repeating: 0, count: 128)
  let result = try run("checking_matrices", on: inputs, block: 32)
  func byte(_ word: Int, _ k: Int) -> UInt8 { UInt8(truncatingIfNeeded: inputs[word] >> (8 * k)) }
  var expected: [UInt32] = []
  for row in 0..<16 {
    for column in 0..<8 {
      var sum = 0
      for k in 0..<32 {
        let other = Int8(bitPattern: byte(128 + 8 * column + k / 4, k % 4))
        sum += Int(byte(8 * row + k / 4, k % 4)) * Int(other)
      }
      expected.append(UInt32(bitPattern: Int32(sum)))
    }
  }
  #expect(Array(result[192...]) == expected)
}
