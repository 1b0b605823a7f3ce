import Glibc
import HostMemory
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

/// Packed weights in a file: made, used, and refused where it is not what it must be.
@Suite struct PackedFileTests {
  /// A matrix of Q8_0 rows and one of F32, with odd sizes, in a store that records them.
  private final class World {
    let native: AlignedBuffer
    let store: PackedStore
    let first: WeightMatrix
    let halves: [WeightMatrix]
    let compute: CPUBackend
    let folder: String

    static let rows = 37
    static let columns = 96
    static let wideBytes = 37 * 96 / 32 * 34

    init(packsAtUse: Int = 1) throws {
      native = try AlignedBuffer(
        byteCount: World.wideBytes + 40 * 8 * 4, purpose: "a test")
      var random = SeededGenerator(seed: 1)
      for index in 0..<World.wideBytes {
        native.base.storeBytes(
          of: UInt8.random(in: 0...63, using: &random), toByteOffset: index, as: UInt8.self)
      }
      for index in 0..<320 {
        native.base.storeBytes(
          of: Float.random(in: -1...1, using: &random), toByteOffset: World.wideBytes + 4 * index,
          as: Float.self)
      }
      store = try PackedStore(
        capacityBytes: 1 << 20, givesBackNativePages: false, packsAtUse: packsAtUse,
        recordsMatrices: true)
      first = try #require(
        WeightMatrix(
          base: native.base, type: .q8_0, rowCount: World.rows, columnCount: World.columns,
          store: store))
      let second = try #require(
        WeightMatrix(
          base: native.base + World.wideBytes, type: .f32, rowCount: 40, columnCount: 8,
          store: store))
      halves = [second.rows(0..<17), second.rows(17..<40)]
      compute = try CPUBackend(threadCount: 2)
      var name = Array("/tmp/hybrimoe-test-XXXXXX".utf8CString)
      folder = try #require(mkdtemp(&name).map { String(cString: $0) })
    }

    deinit {
      for name in ["weights", "other"] { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }

    var path: String { folder + "/weights" }

    func storage(fingerprint: UInt64 = 7) -> PackedFileStorage {
      PackedFileStorage(of: store, fingerprint: fingerprint, title: "a model") {
        UInt64($0 - UnsafeRawPointer(native.base))
      }
    }

    /// A product with each matrix, in which every weight counts.
    func results() throws -> [Float] {
      var all: [Float] = []
      for weights in [first] + halves {
        let x = try AlignedBuffer(byteCount: 4 * weights.columnCount, purpose: "a test")
        let y = try AlignedBuffer(byteCount: 4 * weights.rowCount, purpose: "a test")
        let numbers = x.base.bindMemory(to: Float.self, capacity: weights.columnCount)
        for column in 0..<weights.columnCount { numbers[column] = Float(column % 7) - 2.5 }
        let results = y.base.bindMemory(to: Float.self, capacity: weights.rowCount)
        try compute.multiply([
          MatrixProduct(
            row(numbers, weights.columnCount), weights,
            into: row(results, weights.rowCount))
        ])
        all += UnsafeBufferPointer(start: results, count: weights.rowCount)
      }
      return all
    }

    private func row(_ base: UnsafeMutablePointer<Float>, _ count: Int) -> Activation {
      Activation(base: base, rowCount: 1, columnCount: count, stride: count)
    }

    func summary() throws -> PackedFileSummary? {
      try bytes().withUnsafeBytes { PackedFileSummary(fixed: $0) }
    }

    func bytes() throws -> [UInt8] { try fileBytes(path: path) }

    func write(_ bytes: [UInt8]) throws {
      let file = try #require(fopen(path, "w"))
      defer { fclose(file) }
      #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
  }

  @Test func `a product from a file has the bits of one packed in memory, and packs nothing`()
    throws
  {
    let inMemory = try World()
    let expected = try inMemory.results()
    #expect(inMemory.store.usedBytes > 0)
    let world = try World()
    let storage = world.storage()
    try storage.write(to: world.path, compute: world.compute)
    #expect(try storage.open(world.path) == nil)
    #expect(try world.results() == expected)
    #expect(world.store.usedBytes == 0)
  }

  @Test func `a store that packs at the second use packs nothing at the first`() throws {
    let atFirst = try World()
    let expected = try atFirst.results()
    let world = try World(packsAtUse: 2)
    #expect(try world.results() == expected)
    #expect(world.store.usedBytes == 0)
    for _ in 0..<2 {
      #expect(try world.results() == expected)
      #expect(world.store.usedBytes == atFirst.store.usedBytes)
    }
  }

  @Test func `only matrices that are multiplied lie in the file`() throws {
    let world = try World()
    let storage = world.storage()
    try storage.write(to: world.path, compute: world.compute)
    let summary = try #require(try world.summary())
    #expect(summary.matrixCount == 3)
    #expect(summary.title == "a model" && summary.fingerprint == 7 && summary.isCurrent)
    #expect(summary.byteCount == (try world.bytes()).count)
  }

  @Test func `a file that is not there is an error`() throws {
    let world = try World()
    #expect(throws: HostMemoryError.self) { try world.storage().open(world.path) }
  }

  @Test func `a file of another model is refused`() throws {
    let world = try World()
    try world.storage(fingerprint: 8).write(to: world.path, compute: world.compute)
    let other = try World()
    #expect(try other.storage(fingerprint: 7).open(world.path) == .otherModel)
    #expect(try other.results().count == 77)
    #expect(other.store.usedBytes > 0)
  }

  @Test func `a file that is cut anywhere is refused`() throws {
    let world = try World()
    let storage = world.storage()
    try storage.write(to: world.path, compute: world.compute)
    let whole = try world.bytes()
    for count in [0, 1, 7, 8, 48, 4095, 4096, 4097, whole.count / 2, whole.count - 1] {
      try world.write(Array(whole.prefix(count)))
      let fault = try storage.open(world.path)
      let expected: PackedFileFault =
        count < 4096 ? .notPackedWeights : .wrongLength(found: count, expected: whole.count)
      #expect(fault == expected, "\(count) bytes")
    }
    try world.write(whole + [0])
    #expect(
      try storage.open(world.path)
        == .wrongLength(found: whole.count + 1, expected: whole.count))
  }

  @Test func `a byte that is wrong anywhere before the tiles or behind them is found`() throws {
    let world = try World()
    let storage = world.storage()
    try storage.write(to: world.path, compute: world.compute)
    let whole = try world.bytes()
    let table = 4096 + 3 * 48
    let places = Array(0..<128) + [1000, 4095] + Array(4096..<table)
    for place in places + Array((whole.count - 8)..<whole.count) {
      var bytes = whole
      bytes[place] ^= 0x10
      try world.write(bytes)
      #expect(try storage.open(world.path) != nil, "byte \(place)")
    }
    try world.write(whole)
    #expect(try storage.open(world.path) == nil)
  }

  @Test func `a file of another version is refused by its version`() throws {
    let world = try World()
    let storage = world.storage()
    try storage.write(to: world.path, compute: world.compute)
    var bytes = try world.bytes()
    bytes[8] = 99
    try world.write(bytes)
    #expect(try storage.open(world.path) == .otherVersion(found: 99, expected: 1))
    #expect(try world.summary()?.isCurrent == false)
  }

  @Test func `where it cannot be written, the reason is told and nothing is left`() throws {
    let world = try World()
    let storage = world.storage()
    #expect {
      try storage.write(to: "\(world.folder)/none/weights", compute: world.compute)
    } throws: { "\($0)".contains("No such file or directory") }
    // /dev/full takes nothing, but cannot be renamed to: a folder in the way stands for that.
    mkdir(world.folder + "/other", 0o700)
    #expect(throws: PackedFileWritingError.self) {
      try storage.write(to: world.folder + "/other", compute: world.compute)
    }
    rmdir(world.folder + "/other")
    #expect(try names(in: world.folder).isEmpty)
  }

  @Test func `random bytes are no file of packed weights, whatever they say`() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<200 {
      var bytes = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
      bytes.replaceSubrange(0..<8, with: PackedFileLayout.magic)
      bytes.withUnsafeBytes { bytes in
        if let summary = PackedFileSummary(fixed: bytes) { #expect(summary.byteCount >= 0) }
      }
    }
  }

  private func names(in folder: String) throws -> [String] {
    let open = try #require(opendir(folder))
    defer { closedir(open) }
    var found: [String] = []
    while let entry = readdir(open) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found
  }
}
