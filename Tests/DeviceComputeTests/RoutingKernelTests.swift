import CGPUKernels
import Tensors
import TestSupport
import Testing

@testable import CPUCompute
@testable import Models

/// Choosing experts, bit for bit as `Router` does.
@Suite struct RoutingKernelTests {
  struct Case: Sendable, CustomStringConvertible {
    var gating = Router.Gating.softmax
    var experts = 64
    var chosen = 6
    var normalizes = true
    var scale: Float = 1
    var hasBias = false
    var groups = 1
    var usedGroups = 1
    var groupScore = Router.GroupScore.bestTwo
    var description: String {
      "\(gating) \(chosen)/\(experts), normalizes \(normalizes), scale \(scale), bias \(hasBias), "
        + "\(usedGroups)/\(groups) groups by \(groupScore)"
    }
  }

  static let cases: [Case] = [
    Case(), Case(experts: 1, chosen: 1), Case(experts: 7, chosen: 7),
    Case(normalizes: false, scale: 16), Case(experts: 60, chosen: 4, normalizes: false),
    Case(experts: 128, chosen: 8), Case(experts: 100, chosen: 33), Case(experts: 40, chosen: 40),
    Case(
      gating: .sigmoid, experts: 256, chosen: 8, scale: 2.5, hasBias: true, groups: 8,
      usedGroups: 4),
    Case(gating: .sigmoid, experts: 33, chosen: 5, hasBias: true),
    Case(gating: .sigmoid, experts: 24, chosen: 3, normalizes: false, scale: 0.7),
    Case(
      experts: 160, chosen: 6, normalizes: false, scale: 16, groups: 8, usedGroups: 3,
      groupScore: .best),
    Case(experts: 12, chosen: 4, groups: 12, usedGroups: 5),
    Case(experts: 66, chosen: 5, groups: 33, usedGroups: 40),
    Case(experts: 13, chosen: 4, groups: 3, usedGroups: 2),
    Case(gating: .sigmoid, experts: 9, chosen: 9),
    Case(gating: .softmaxOfChosen, experts: 32, chosen: 4, normalizes: false),
    Case(gating: .softmaxOfChosen, experts: 40, chosen: 36, normalizes: false),
    Case(gating: .softmaxOfChosen, experts: 128, chosen: 17, normalizes: false),
    Case(gating: .softmaxOfChosen, experts: 50, chosen: 20, normalizes: true, hasBias: true),
  ]

  /// What a token's routing is, by both.
  private struct Routing: Equatable {
    var ids: [Int32]
    var weights: [UInt32]
    var probabilities: [UInt32]
  }

  private func router(_ c: Case, bias: [Float]) throws -> Router {
    let memory = KernelMemory([Float](repeating: 0, count: c.experts))
    let weight = try #require(
      WeightMatrix(base: memory.base, type: .f32, rowCount: c.experts, columnCount: 1))
    var router = Router(
      weight: weight, gating: c.gating, activeCount: c.chosen, normalizes: c.normalizes)
    router.selectionBias = c.hasBias ? FloatVector(bias) : nil
    (router.groupCount, router.usedGroupCount) = (c.groups, c.usedGroups)
    (router.groupScore, router.scale) = (c.groupScore, c.scale)
    return router
  }

  /// Of all tokens, by `Router`.
  private func expected(_ c: Case, logits: [[Float]], bias: [Float]) throws -> [Routing] {
    let router = try router(c, bias: bias)
    let kernels = try processorKernels()
    return logits.map { logits in
      var scores = logits
      switch c.gating {
      case .softmax: kernels.softmax(&scores, scores.count)
      case .sigmoid: kernels.sigmoid(&scores, scores.count)
      case .softmaxOfChosen: break
      }
      var (selection, ids, weights) = (scores, [Int32](), [Float]())
      router.choose(&selection, scores: scores, ids: &ids, weights: &weights)
      if c.gating == .softmaxOfChosen { kernels.softmax(&scores, scores.count) }
      return Routing(ids: ids, weights: bits(weights), probabilities: bits(scores))
    }
  }

  /// Of all tokens, by the kernels.
  private func found(
    _ c: Case, logits: [[Float]], bias: [Float], seed: UInt64, showsProbabilities: Bool = true
  ) throws -> [Routing] {
    let (tokens, stride) = (logits.count, c.experts + 3)
    let memory = KernelMemory(logits.flatMap { $0 + [9e9, 9e9, .nan] })
    let biases = KernelMemory(bias)
    let ids = KernelMemory([Int32](repeating: -1, count: tokens * c.chosen))
    let weights = KernelMemory(count: tokens * c.chosen)
    let deviceWeights = KernelMemory(count: tokens * c.chosen)
    let probabilities = KernelMemory(count: tokens * c.experts)
    var arguments = gpu_route_arguments()
    (arguments.logits, arguments.logits_stride) = (memory.address, UInt32(stride))
    arguments.selection_bias = c.hasBias ? biases.address : 0
    (arguments.ids, arguments.weights) = (ids.address, weights.address)
    arguments.device_weights = deviceWeights.address
    arguments.probabilities = showsProbabilities ? probabilities.address : 0
    (arguments.tokens, arguments.experts) = (UInt32(tokens), UInt32(c.experts))
    (arguments.chosen, arguments.gating) = (UInt32(c.chosen), gating(c))
    (arguments.groups, arguments.used_groups) = (UInt32(c.groups), UInt32(c.usedGroups))
    arguments.group_score = c.groupScore == .best ? 0 : 1
    (arguments.normalizes, arguments.scale) = (c.normalizes ? 1 : 0, c.scale)
    let shared = gpu_route_shared(arguments.experts, arguments.chosen, arguments.groups)
    try emulate(
      "route", grid: (tokens, 1, 1), block: 32, sharedByteCount: Int(shared), arguments, seed: seed)
    #expect(bits(deviceWeights.buffer) == bits(weights.buffer))

    let foreseen = KernelMemory(count: tokens * c.experts)
    let foresee = gpu_foresee_arguments(
      logits: memory.address, probabilities: foreseen.address, logits_stride: UInt32(stride),
      tokens: UInt32(tokens), experts: UInt32(c.experts), gating: gating(c))
    try emulate(
      "foresee", grid: (tokens, 1, 1), block: 32, sharedByteCount: 4 * c.experts, foresee,
      seed: seed)
    if showsProbabilities { #expect(bits(foreseen.buffer) == bits(probabilities.buffer)) }
    return (0..<tokens).map { token in
      let pairs = token * c.chosen..<(token + 1) * c.chosen
      return Routing(
        ids: Array(ids.buffer[pairs]), weights: bits(weights.buffer[pairs]),
        probabilities: bits(foreseen.buffer[token * c.experts..<(token + 1) * c.experts]))
    }
  }

  private func gating(_ c: Case) -> UInt32 {
    switch c.gating {
    case .softmax: UInt32(GPU_GATING_SOFTMAX)
    case .sigmoid: UInt32(GPU_GATING_SIGMOID)
    case .softmaxOfChosen: UInt32(GPU_GATING_SOFTMAX_OF_CHOSEN)
    }
  }

  private func compare(_ c: Case, logits: [[Float]], bias: [Float]) throws {
    let expected = try expected(c, logits: logits, bias: bias)
    for seed in threadOrders {
      let found = try found(
        c, logits: logits, bias: bias, seed: seed, showsProbabilities: seed != threadOrders[1])
      #expect(found == expected)
    }
  }

  @Test(arguments: cases)
  func `experts, weights and probabilities are the router's`(_ c: Case) throws {
    let logits = (0..<5).map {
      randomNumbers(c.experts, seed: UInt64($0) + 20, scale: $0 == 0 ? 40 : 3)
    }
    try compare(c, logits: logits, bias: randomNumbers(c.experts, seed: 19, scale: 0.3))
  }

  @Test(arguments: cases)
  func `ties, infinities and NaNs end as in the router`(_ c: Case) throws {
    func row(_ seed: UInt64, _ change: (Int, Float) -> Float) -> [Float] {
      randomNumbers(c.experts, seed: seed).enumerated().map { change($0, $1) }
    }
    let logits = [
      row(30) { _, number in (number * 2).rounded() },  // many ties
      row(31) { index, _ in index % 2 == 0 ? 0 : -0.0 },
      row(32) { index, number in index % 5 == 3 ? .nan : number },
      row(33) { _, _ in .nan },
      // A GPU's own NaN.
      row(38) { index, number in index % 4 == 1 ? number : Float(bitPattern: 0x7fff_ffff) },
      row(34) { index, number in index % 7 == 2 ? -.infinity : number },
      row(35) { index, number in index % 11 == 4 ? .infinity : number },
      row(36) { _, _ in -.infinity },
      row(37) { _, number in number - 200 },
    ]
    var bias = randomNumbers(c.experts, seed: 18).map { ($0 * 2).rounded() }
    try compare(c, logits: logits, bias: bias)
    bias[c.experts / 2] = .nan
    bias[c.experts / 3] = -.infinity
    try compare(c, logits: logits, bias: bias)
  }

  @Test func `the exponential is the processor's from one to nothing`() throws {
    // The largest logit is 0, so that every probability is an exponential by one and the same sum.
    let logits = (0..<4000).map { -Float($0) * 0.0221 } + [-87.33, -87.336, -87.3366, -87.34]
    for gating in [Router.Gating.softmax, .softmaxOfChosen] {
      let c = Case(gating: gating, experts: logits.count, chosen: 2, normalizes: false)
      let expected = try expected(c, logits: [logits], bias: [])
      #expect(try found(c, logits: [logits], bias: [], seed: 0) == expected)
    }
  }

  @Test func `weights that are almost nothing are divided by the smallest sum`() throws {
    let c = Case(gating: .sigmoid, experts: 9, chosen: 3)
    let logits = [[Float]](repeating: [Float](repeating: -30, count: 9), count: 1)
    try compare(c, logits: logits, bias: [])
    let weights = try found(c, logits: logits, bias: [], seed: 0)[0].weights.map(
      Float.init(bitPattern:))
    #expect(weights.reduce(0, +) < 1e-6)
  }
}
