import CPUCompute
import Foundation
import GGUF
import HostMemory
import Inference
import TestSupport
import Testing

@testable import Models

/// One model in every layout of its weights.
@Suite struct WeightLayoutTests {
  /// A copy of a fixture, and a folder for its packed weights.
  private final class World {
    let folder: URL
    let model: String
    private(set) var notices: [WeightNotice] = []

    init(_ name: String) throws {
      folder = FileManager.default.temporaryDirectory.appending(
        path: "hybrimoe-test-\(UInt64.random(in: 0...(.max)))")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      model = folder.appending(path: "model.gguf").path
      let fixture = try fixturePath(name + ".gguf")
      try FileManager.default.copyItem(atPath: fixture, toPath: model)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var cache: String { folder.appending(path: "cache/packed").path }

    var cachedFiles: [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []).sorted()
    }

    func load(
      _ layout: WeightLayout, cache: String?, available: Int? = nil, deviceByteCount: Int = 0
    ) throws -> DecoderModel {
      notices = []
      var weights = WeightLoading(layout, cacheFolder: cache, notice: { self.notices.append($0) })
      weights.availableBytes = { available }
      weights.deviceByteCount = deviceByteCount
      return try DecoderModel.load(try ModelLocation.file(path: model).open(), weights: weights)
    }

    func logits(
      _ layout: WeightLayout, cache: String? = nil, available: Int? = nil
    ) throws -> [Float] {
      let model = try load(layout, cache: cache ?? self.cache, available: available)
      let runner = try SequenceRunner(model: model, options: .exact())
      defer { packedBytes = model.store?.usedBytes }
      // The second time, matrices are packed that the first time used.
      let prompt = (0..<20).map { ($0 * 61 + 3) % 500 }
      let first = try runner.accept(prompt)
      let packedAtOnce = model.store?.usedBytes ?? 0
      #expect(layout == .cached || packedAtOnce == 0)
      runner.rewind(to: 0)
      #expect(try runner.accept(prompt) == first)
      return first
    }

    /// Bytes that the last model packed in memory; nil where it packs nothing.
    private(set) var packedBytes: Int?
  }

  @Test(arguments: ["deepseek2-nano-F16", "qwen3moe-nano-Q5_0", "gpt-oss-nano-MXFP4_MOE"])
  func `every layout gives the same bits`(_ name: String) throws {
    let world = try World(name)
    let native = try world.logits(.native)
    #expect(world.packedBytes == nil)
    #expect(try world.logits(.packed) == native)
    let packed = try #require(world.packedBytes)
    #expect(packed > 0)
    // Made, then used.
    for _ in 0..<2 {
      #expect(try world.logits(.cached) == native)
      #expect(try #require(world.packedBytes) < packed / 4)
      #expect(world.notices.isEmpty && world.cachedFiles.count == 1)
    }
  }

  @Test func `without room weights stay native, and it is told how much is missing`() throws {
    let world = try World("qwen3moe-nano-Q5_0")
    let file = try ModelLocation.file(path: world.model).open()
    let needed = WeightLoading.packedByteCount(of: file) + 1 << 30
    let model = try world.load(.automatic, cache: nil, available: needed - 1)
    #expect(model.store == nil)
    #expect(
      world.notices == [.noRoomToPack(neededBytes: needed, availableBytes: needed - 1)])
    #expect("\(world.notices[0])".contains("--weights cached"))
    for enough in [needed, nil] {
      #expect(try world.load(.automatic, cache: nil, available: enough).store != nil)
      #expect(world.notices.isEmpty)
    }
    // What is asked for is done without a look at the memory.
    #expect(try world.load(.packed, cache: nil, available: 0).store != nil)
  }

  @Test func `a model that memory cannot hold is refused before a weight is read`() throws {
    let world = try World("qwen3moe-nano-Q5_0")
    let file = try ModelLocation.file(path: world.model).open()
    let needed = file.tensors.reduce(0) { $0 + $1.byteCount }
    let refusal = ModelError.tooLarge(
      path: world.model, neededBytes: needed, availableBytes: needed - 1)
    #expect(throws: refusal) {
      try world.load(.automatic, cache: nil, available: needed - 1)
    }
    #expect("\(refusal)".contains("--weights native"))
    // A device's memory holds a part.
    _ = try world.load(.automatic, cache: nil, available: needed - 10, deviceByteCount: 10)
    #expect(world.notices.count == 1)
    // What is asked for is done, and said.
    for layout in [WeightLayout.native, .cached] {
      _ = try world.load(layout, cache: nil, available: needed - 1)
      #expect(
        world.notices.first
          == .largerThanMemory(neededBytes: needed, availableBytes: needed - 1))
    }
  }

  @Test func `a damaged file is told of and made again`() throws {
    let world = try World("qwen3moe-nano-Q5_0")
    let expected = try world.logits(.cached)
    let path = "\(world.cache)/\(world.cachedFiles[0])"
    let whole = try fileBytes(path: path)
    for damage in [
      Array(whole.prefix(100)), Array(whole.dropLast()), [UInt8](repeating: 0, count: 5000), [],
    ] {
      try Data(damage).write(to: URL(filePath: path))
      #expect(try world.logits(.cached) == expected)
      #expect(world.notices.count == 1)
      #expect("\(world.notices)".contains("made again"))
      #expect(try fileBytes(path: path) == whole)
    }
  }

  @Test func `a model that changed has another file`() throws {
    let world = try World("qwen3moe-nano-Q5_0")
    _ = try world.logits(.cached)
    let attributes: [FileAttributeKey: Any] = [
      .modificationDate: Date(timeIntervalSince1970: 1_000_000)
    ]
    try FileManager.default.setAttributes(attributes, ofItemAtPath: world.model)
    _ = try world.logits(.cached)
    #expect(world.cachedFiles.count == 2 && world.notices.isEmpty)
  }

  @Test func `where no file can be, weights are packed in memory, and the reason is told`() throws {
    let world = try World("qwen3moe-nano-Q5_0")
    let expected = try world.logits(.packed)
    // A file stands where the folder should be.
    #expect(try world.logits(.cached, cache: world.model + "/packed") == expected)
    #expect(world.notices.count == 1 && "\(world.notices)".contains("Not a directory"))
    _ = try world.load(.cached, cache: nil)
    #expect(world.notices.count == 1 && "\(world.notices)".contains("XDG_CACHE_HOME"))
  }
}
