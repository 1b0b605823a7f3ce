import CPUCompute
import GGUF
import HostMemory

/// The file of a model's packed weights, found by what the model is.
///
/// A model is known by the sizes and times of its files, by its table of tensors and by some bytes of each
/// tensor; its weights are not read through for that. A file of another model, or of this one before it
/// changed, therefore has another name.
struct PackedWeightsFile {
  let path: String
  private let fingerprint: UInt64
  private let title: String
  private let regions: [UnsafeRawBufferPointer]

  /// - Parameter folder: where such files are.
  /// - Returns: nil for a model that lies in no file.
  init?(of file: GGUFFile, in folder: String) {
    var hash = StableHash()
    var regions: [UnsafeRawBufferPointer] = []
    for shard in file.shards {
      guard let mapped = (shard.source as? MappedSource)?.file else { return nil }
      regions.append(mapped.bytes)
      hash.add(mapped.byteCount)
      hash.add(mapped.modificationNanoseconds)
      hash.add(shard.dataOffset)
    }
    for tensor in file.tensors {
      hash.add(tensor.name)
      hash.add(Int(tensor.type.rawValue))
      hash.add(tensor.shardIndex)
      hash.add(tensor.offset)
      for dimension in tensor.dimensions { hash.add(dimension) }
      hash.add(samplesOf: tensor, in: regions[tensor.shardIndex])
    }
    self.regions = regions
    fingerprint = hash.value
    let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
    title = name
    let digits = String(hash.value, radix: 16)
    let stem = String(name.prefix(100)) + "-" + String(repeating: "0", count: 16 - digits.count)
    path = "\(folder)/\(stem)\(digits).packed"
  }

  /// Uses the file of a model for a store's matrices; makes it where that is needed. Where it cannot be
  /// had, weights are packed in memory, and the reason is told.
  static func supply(
    _ store: PackedStore, of model: GGUFFile, _ loading: WeightLoading
  ) throws {
    guard let folder = loading.cacheFolder else {
      return loading.notice(
        .noFile(reason: "there is no folder for it; set XDG_CACHE_HOME or HOME"))
    }
    guard let file = PackedWeightsFile(of: model, in: folder) else {
      return loading.notice(.noFile(reason: "the model is not in a file of its own"))
    }
    try file.supply(store, loading)
  }

  /// Uses the file for a store's matrices; makes it where it is not there or not what it must be.
  private func supply(_ store: PackedStore, _ loading: WeightLoading) throws {
    let storage = PackedFileStorage(
      of: store, fingerprint: fingerprint, title: title, source: place)
    do {
      guard let fault = try storage.open(path) else { return }
      loading.notice(.unusableFile(path: path, reason: "\(fault)"))
    } catch HostMemoryError.cannotOpen {
      // Not made yet; what keeps it from being opened otherwise keeps it from being written too.
    } catch {
      return loading.notice(.noFile(reason: "\(error)"))
    }
    do {
      try Folders.make(above: path)
      let compute = try CPUBackend(
        threadCount: loading.placement.threadCount, processors: loading.placement.processors)
      try storage.write(to: path, compute: compute, progress: loading.progress)
      if let fault = try storage.open(path) { loading.notice(.noFile(reason: "\(fault)")) }
    } catch let error as PackedFileWritingError {
      loading.notice(.noFile(reason: "\(error)"))
    } catch let error as HostMemoryError {
      loading.notice(.noFile(reason: "\(error)"))
    }
  }

  /// Which part of the model, and where in it.
  private func place(_ address: UnsafeRawPointer) -> UInt64 {
    for (index, region) in regions.enumerated() {
      guard let base = region.baseAddress, address >= base, address < base + region.count else {
        continue
      }
      return UInt64(index) << 48 | UInt64(address - base)
    }
    return .max
  }
}

/// FNV-1a of 64 bits: the same in every run and on every machine, as Swift's own hashes are not.
private struct StableHash {
  var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ number: Int) {
    var number = UInt64(bitPattern: Int64(number))
    for _ in 0..<8 {
      add(UInt8(truncatingIfNeeded: number))
      number >>= 8
    }
  }

  /// Some bytes of a tensor's beginning, middle and end: another training or quantisation changes them.
  mutating func add(samplesOf tensor: GGUFTensor, in bytes: UnsafeRawBufferPointer) {
    let sampleByteCount = min(64, tensor.byteCount)
    let last = tensor.byteCount - sampleByteCount
    for start in [0, last / 2, last] {
      let begin = tensor.offset + start
      guard begin >= 0, begin + sampleByteCount <= bytes.count else { continue }
      for byte in bytes[begin..<begin + sampleByteCount] { add(byte) }
    }
  }

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte) }
    add(0xff as UInt8)
  }

  private mutating func add(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
  }
}
