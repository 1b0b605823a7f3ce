import Experts

/// A published model's MoE layer, as far as scheduling sees it.
public struct LayerShape: Sendable {
  public let name: String
  public let experts: Int
  public let activated: Int
  /// Weights of one routed expert, in millions.
  public let megaParameters: Double
  /// Bytes of one routed expert in a 4-bit mix, in millions.
  public let megabytes: Double
  /// Weights of the shared experts together, as a multiple of one routed expert's.
  public let sharedExperts: Double

  /// Shapes from the models' published configurations (hidden and expert sizes); bytes are those of
  /// llama.cpp's Q4_K_M mix on average over the layers, gpt-oss's those of MXFP4.
  public static let published = [
    LayerShape(
      name: "deepseek-v2-lite", experts: 64, activated: 6, megaParameters: 8.651,
      megabytes: 5.726, sharedExperts: 2),
    LayerShape(
      name: "qwen2-57b-a14b", experts: 64, activated: 8, megaParameters: 27.53, megabytes: 16.67,
      sharedExperts: 8),
    LayerShape(
      name: "qwen3-30b-a3b", experts: 128, activated: 8, megaParameters: 4.719, megabytes: 2.857,
      sharedExperts: 0),
    LayerShape(
      name: "mixtral-8x7b", experts: 8, activated: 2, megaParameters: 176.16, megabytes: 106.66,
      sharedExperts: 0),
    LayerShape(
      name: "deepseek-v3", experts: 256, activated: 8, megaParameters: 44.04, megabytes: 26.53,
      sharedExperts: 1),
    LayerShape(
      name: "gpt-oss-20b", experts: 32, activated: 4, megaParameters: 24.88, megabytes: 13.25,
      sharedExperts: 0),
  ]
}

/// Draws scheduling cases as real models on plausible machines give them.
public struct LayerWorld {
  public var random: SeededGenerator

  public init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private mutating func draw(_ range: ClosedRange<Double>) -> Double {
    Double.random(in: range, using: &random)
  }

  /// The costs of a layer on a machine with a link of 10 to 55 GB/s, a CPU that reads 8 to 60 GB/s
  /// and a GPU that reads 0.3 to 1.5 TB/s; microseconds.
  public mutating func costs(_ shape: LayerShape) -> LayerCosts {
    let bytes = shape.megabytes * 1e6
    let parameters = shape.megaParameters * 1e6
    // 1 GB/s is 1000 bytes in a microsecond.
    let linkRate = draw(10...55) * 1e3
    let overlap = draw(0.6...1)
    let latency = draw(3...20)
    let gpuRead = bytes / (draw(300...1500) * 1e3)
    var costs = LayerCosts(
      cpuPerToken: parameters / (draw(0.2...2) * 1e6),
      gpuPerExpert: draw(2...10) + gpuRead,
      linkPerExpert: latency + bytes / (linkRate * overlap),
      linkPerExpertAlone: latency + bytes / linkRate)
    costs.cpuFirst = draw(0...60)
    costs.cpuPerExpert = bytes / (draw(8...60) * 1e3)
    costs.gpuPerLaunch = draw(2...15)
    costs.gpuPerToken = parameters / (draw(5...40) * 1e6)
    costs.gpuKnee = Int.random(in: 8...256, using: &random)
    costs.sharedOnGPU = shape.sharedExperts * gpuRead
    costs.handshake = draw(5...40)
    return costs
  }

  /// How many of `tokens` tokens each expert gets, most popular or not; experts without any are left
  /// out. Popularity is log-normal.
  public mutating func loads(_ shape: LayerShape, tokens: Int) -> [Int] {
    let spread = draw(0.2...1.2)
    // A sum of uniform numbers is normal enough.
    let popularity = (0..<shape.experts).map { _ in
      Self.exponential(spread * ((0..<6).reduce(0.0) { sum, _ in sum + draw(-1...1) }) / 1.4)
    }
    let total = popularity.reduce(0, +)
    return popularity.compactMap { share in
      let expected = share / total * Double(tokens * shape.activated)
      let load = min(tokens, Int((expected * draw(0.7...1.3) + draw(0...1)).rounded(.down)))
      return load > 0 ? load : nil
    }
  }

  // e to the power, without a library: (1 + x/1024)^1024 is close enough for popularities.
  private static func exponential(_ power: Double) -> Double {
    (0..<10).reduce(1 + power / 1024) { value, _ in value * value }
  }

  /// A case with these loads: some experts resident, some on their way, lanes that may be busy.
  public mutating func layerCase(
    _ costs: LayerCosts, loads: [Int], phase: Phase = .prefill, arrivals: Bool = true
  ) -> LayerCase {
    let residentShare = [0, 0.25, 0.5, 0.75].randomElement(using: &random)!
    let arrivingShare = arrivals ? [0, 0, 0.1, 0.3].randomElement(using: &random)! : 0
    var layerCase = LayerCase(phase: phase, experts: [], costs: costs)
    if Bool.random(using: &random) {
      layerCase.cpuFree = draw(0...1) * costs.cpuPerExpert
      layerCase.gpuFree = draw(0...4) * costs.gpuPerExpert
      layerCase.linkFree = draw(0...2) * costs.linkPerExpert
    }
    for (index, load) in loads.enumerated() {
      var expert = ActivatedExpert(index: index, load: load, residency: .missing)
      if draw(0...1) < residentShare {
        expert.residency = .resident
      } else if draw(0...1) < arrivingShare {
        let arrival = draw(0...2) * costs.linkPerExpert
        expert.residency = .arriving(at: arrival)
        layerCase.linkFree = max(layerCase.linkFree, arrival)
      }
      layerCase.experts.append(expert)
    }
    return layerCase
  }
}
