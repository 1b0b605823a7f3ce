import GGUF
import HostMemory
import Models
import Placement
import Tensors

/// A model of made weights in a known shape, for measuring speed without a file.
///
/// It is written as a GGUF file into memory and loaded from there as any other, with as many of the
/// shape's layers as memory has room for.
struct MadeModel {
  private let outline: ModelOutline
  private let layerCount: Int
  private let tensors: [(tensor: ModelOutline.Tensor, type: ElementType)]

  /// The share of the available memory that weights may take: the rest is for caches and work space.
  private static let memoryShare = 0.75
  /// Bytes that are drawn at once; matrices are made of them over and over.
  private static let poolByteCount = 1 << 20

  /// What `bench --shape` measures.
  /// - Throws: `CommandFailure` for names and architectures that are not known, and where not even one
  ///   layer fits into memory.
  static func subject(
    _ name: String, layout: WeightLayout, console: Console
  ) throws -> BenchmarkSubject {
    let catalog = ProfileCatalog()
    let outline = try catalog.outline(name)
    guard DecoderModel.runs(architecture: outline.architecture) else {
      let runnable = try catalog.names(.shapes).filter {
        try DecoderModel.runs(architecture: catalog.outline($0).architecture)
      }
      throw CommandFailure(
        "\(outline.title) is of the architecture \(outline.architecture), which this version does "
          + "not run. It runs \(runnable.joined(separator: ", ")).")
    }
    let available = MemoryStatus.availableBytes() ?? 4 << 30
    let budget = Int(Double(available) * memoryShare)
    guard
      let layers = (1...outline.layerCount).last(where: { Self.byteCount(outline, $0) <= budget })
    else {
      throw CommandFailure(
        "\(outline.title) needs \(HumanUnits.bytes(Self.byteCount(outline, 1))) for one layer and "
          + "the output, but only \(HumanUnits.bytes(budget)) may be taken of the memory that is "
          + "available. Close other programs, or choose a smaller shape.")
    }
    return try MadeModel(outline, layers: layers).subject(layout, console: console)
  }

  private init(_ outline: ModelOutline, layers: Int) {
    self.outline = outline
    layerCount = layers
    tensors = Self.tensors(outline, layers)
  }

  /// Tensors with the types that their names mean.
  private static func tensors(
    _ outline: ModelOutline, _ layers: Int
  ) -> [(tensor: ModelOutline.Tensor, type: ElementType)] {
    outline.tensors(layers: layers).map { tensor in
      (tensor, ElementType.allCases.first { $0.name == tensor.type } ?? .f32)
    }
  }

  private static func byteCount(_ outline: ModelOutline, _ layers: Int) -> Int {
    tensors(outline, layers).reduce(0) {
      $0 + ($1.type.byteCount(ofRow: $1.tensor.dimensions.reduce(1, *)) ?? 0)
    }
  }

  private func subject(_ layout: WeightLayout, console: Console) throws -> BenchmarkSubject {
    let writer = try writer()
    let byteCount = try writer.byteCount()
    let buffer = try AlignedBuffer(
      byteCount: byteCount, purpose: "made weights", usesHugePages: true)
    try fill(buffer, writer, byteCount, console)
    let file = try GGUFFile.open(path: outline.title) { _ in
      MadeSource(buffer, byteCount: byteCount)
    }
    let model = try DecoderModel.load(file, weights: WeightLoading(layout))
    var subject = BenchmarkSubject(
      name: "\(outline.title), made weights", file: file, model: model, notes: [])
    guard layerCount < outline.layerCount else { return subject }
    subject.notes = ["measured with \(layerCount) of \(outline.layerCount) layers"]
    subject.whole = WholeModel(outline, survey: subject.survey)
    return subject
  }

  private func writer() throws -> GGUFWriter {
    var writer = GGUFWriter()
    for (key, value) in outline.keys(layers: layerCount) {
      switch value {
      case .integer(let number): try writer.set(key, .uint32(UInt32(number)))
      case .real(let number): try writer.set(key, .float32(Float(number)))
      case .text(let text): try writer.set(key, .string(text))
      }
    }
    for (tensor, type) in tensors {
      try writer.addTensor(name: tensor.name, dimensions: tensor.dimensions, type: type)
    }
    return writer
  }

  private func fill(
    _ buffer: AlignedBuffer, _ writer: GGUFWriter, _ byteCount: Int, _ console: Console
  ) throws {
    let progress = console.progress("Making weights")
    let position = Position()
    var pools: [ElementType: [UInt8]] = [:]
    try writer.write(to: { bytes in
      buffer.write(bytes, at: position.offset)
      position.offset += bytes.count
      progress.update(position.offset, of: byteCount)
    }) { tensor, emit in
      if tensor.dimensions.count == 1 || tensor.name.contains("ffn_gate_inp") {
        let numbers = Self.numbers(of: tensor)
        return try emit(numbers.span)
      }
      let pool =
        pools[tensor.type]
        ?? tensor.type.madeBlocks(
          Self.poolByteCount / tensor.type.bytesPerBlock, seed: UInt64(tensor.type.rawValue + 1))
        ?? []
      pools[tensor.type] = pool
      try Self.emit(pool, tensor, emit)
    }
    progress.finish()
  }

  /// Where the next bytes go.
  private final class Position {
    var offset = 0
  }

  /// The pool again and again, from another block on in each tensor.
  private static func emit(
    _ pool: [UInt8], _ tensor: GGUFWriter.Tensor, _ emit: (Span<UInt8>) throws -> Void
  ) throws {
    let blocks = pool.count / tensor.type.bytesPerBlock
    let hash = tensor.name.utf8.reduce(UInt32(5_381)) { $0 &* 33 &+ UInt32($1) }
    var start = Int(hash % UInt32(blocks)) * tensor.type.bytesPerBlock
    var left = tensor.byteCount
    while left > 0 {
      let count = min(left, pool.count - start)
      try emit(pool.span.extracting(start..<start + count))
      left -= count
      start = 0
    }
  }

  /// F32 numbers: ones for norms; small ones, all different, for routers (rows that were alike would
  /// send every token to the same experts) and biases.
  private static func numbers(of tensor: GGUFWriter.Tensor) -> [UInt8] {
    if tensor.name.contains("norm") {
      let one: [UInt8] = [0, 0, 0x80, 0x3F]
      return (0..<tensor.byteCount).map { one[$0 % 4] }
    }
    let seed = tensor.name.utf8.reduce(UInt64(5_381)) { $0 &* 33 &+ UInt64($1) }
    return ElementType.f32.madeBlocks(tensor.byteCount / 4, seed: seed) ?? []
  }
}

/// What the figures of some layers say about the whole model.
struct WholeModel {
  let layerCount: Int
  /// How much more the whole model reads and computes for a token than what was measured.
  let byteRatio: Double
  let weightRatio: Double

  init?(_ outline: ModelOutline, survey: ModelSurvey) {
    guard let bytes = survey.bytesPerToken, let weights = survey.weightsPerToken, bytes > 0,
      weights > 0
    else { return nil }
    layerCount = outline.layerCount
    var whole = (bytes: 0.0, weights: 0.0)
    for tensor in outline.tensors(layers: outline.layerCount) where tensor.name != Self.embedding {
      guard let type = ElementType.allCases.first(where: { $0.name == tensor.type }) else {
        continue
      }
      let count = Double(tensor.dimensions.reduce(1, *))
      let share =
        TensorRole(name: tensor.name) == .routedExperts ? outline.activatedShare : 1
      whole.weights += count * share
      whole.bytes +=
        count * share * Double(type.bytesPerBlock) / Double(type.elementsPerBlock)
    }
    byteRatio = whole.bytes / Double(bytes)
    weightRatio = whole.weights / Double(weights)
  }

  private static let embedding = "token_embd.weight"

  /// Tokens a second of the whole model, were its other layers as fast as those that were measured.
  func estimate(_ measurement: Measurement) -> Double {
    estimate(measurement.median, isPrompt: measurement.test.isPrompt)
  }

  func estimate(_ tokensPerSecond: Double, isPrompt: Bool) -> Double {
    tokensPerSecond / (isPrompt ? weightRatio : byteRatio)
  }
}
