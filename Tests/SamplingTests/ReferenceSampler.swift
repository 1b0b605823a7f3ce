import Foundation
import RandomNumbers

@testable import Sampling

/// The chain as its definitions say, slowly: everything sorted at every step, probabilities with the C
/// library's functions, each penalty counted anew over the whole text.
struct ReferenceSampler {
  struct Scored {
    var id: Int
    var score: Double
  }

  let settings: SamplingSettings
  var texts: [TokenText] = []
  var history: [Int] = []
  var random: RandomSource
  /// What the last token was drawn from, best first.
  private(set) var candidates: [Scored] = []

  init(_ settings: SamplingSettings, texts: [TokenText] = [], prompt: [Int] = []) {
    self.settings = settings
    self.texts = texts
    history = prompt
    random = RandomSource(seed: settings.seed)
  }

  mutating func next(_ logits: [Float]) -> Int {
    candidates = logits.indices.compactMap { id in
      let bias = settings.logitBias[id] ?? 0
      if bias == -.infinity { return nil }
      return Scored(id: id, score: rounded(Double(logits[id]) + Double(bias)))
    }
    for step in settings.order {
      let truncates = step != .penalties && step != .dry
      if truncates, settings.isGreedy { continue }
      sort()
      perform(step)
    }
    sort()
    let token = settings.isGreedy ? candidates[0].id : draw()
    history.append(token)
    return token
  }

  private mutating func perform(_ step: SamplingStep) {
    let shares = shares
    switch step {
    case .penalties: penalise()
    case .dry: penaliseRepetitions()
    case .topNSigma:
      guard settings.topNSigma > 0 else { return }
      let scores = candidates.map(\.score)
      let mean = scores.reduce(0, +) / Double(scores.count)
      let variance = scores.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(scores.count)
      let lowest = scores[0] - Double(settings.topNSigma) * variance.squareRoot()
      // Rounding of the mean must not throw out a score that is equal to the best.
      candidates.removeAll { $0.score < lowest && $0.score < scores[0] }
    case .topK: if settings.topK > 0 { candidates = Array(candidates.prefix(settings.topK)) }
    case .typicalP: if settings.typicalP < 1 { keepTypical(shares) }
    case .topP:
      guard settings.topP < 1 else { return }
      var sum = 0.0
      candidates = Array(
        candidates.prefix(
          zip(candidates, shares).prefix { _, share in
            defer { sum += share }
            return sum < Double(settings.topP)
          }.count))
    case .minP:
      candidates = zip(candidates, shares).filter { $1 >= Double(settings.minP) * shares[0] }
        .map(\.0)
    case .xtc:
      guard settings.xtc.isOn, random.nextUnit() < Double(settings.xtc.probability) else { return }
      let likely = shares.filter { $0 >= Double(settings.xtc.threshold) }.count
      candidates.removeFirst(max(0, likely - 1))
    case .temperature:
      for index in candidates.indices { candidates[index].score /= Double(settings.temperature) }
    }
  }

  /// The candidates in the order of |surprisal − entropy|.
  private mutating func keepTypical(_ shares: [Double]) {
    let entropy = shares.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
    let distances = shares.map { -log($0) - entropy }
    let ranks = candidates.indices.sorted { left, right in
      let isBefore = (left: distances[left] < -1e-9, right: distances[right] < -1e-9)
      let distance = (left: abs(distances[left]), right: abs(distances[right]))
      if candidates[left].score == candidates[right].score || isBefore == (false, false) {
        return isBefore.left ? left > right : left < right
      }
      return distance.left < distance.right
    }
    var sum = 0.0
    var kept: [Int] = []
    for rank in ranks where sum < Double(settings.typicalP) {
      kept.append(rank)
      sum += shares[rank]
    }
    candidates = kept.map { candidates[$0] }
  }

  private mutating func penalise() {
    let penalties = settings.penalties
    guard penalties.isOn else { return }
    let window = penalties.lastCount < 0 ? history[...] : history.suffix(penalties.lastCount)
    for index in candidates.indices {
      candidates[index].score = rounded(candidates[index].score)
      let count = window.filter { $0 == candidates[index].id }.count
      guard count > 0 else { continue }
      var score = candidates[index].score
      score = score > 0 ? score / Double(penalties.repeat) : score * Double(penalties.repeat)
      score -= Double(penalties.frequency) * Double(count) + Double(penalties.presence)
      candidates[index].score = rounded(score)
    }
  }

  private mutating func penaliseRepetitions() {
    let dry = settings.dry
    guard dry.isOn else { return }
    for index in candidates.indices {
      candidates[index].score = rounded(candidates[index].score)
      guard let length = repetition(before: candidates[index].id) else { continue }
      let penalty =
        Double(dry.multiplier) * pow(Double(dry.base), Double(length - dry.allowedLength))
      candidates[index].score = rounded(candidates[index].score - penalty)
    }
  }

  /// How many of the last tokens stand before an earlier place of a token, at most, where that costs.
  func repetition(before token: Int) -> Int? {
    if case .plain(let bytes) = texts[token] {
      if settings.dry.breakers.contains(where: { !ends(of: $0, in: bytes).isEmpty }) { return nil }
    } else {
      return nil
    }
    let window = Array(
      settings.dry.lastCount < 0 ? history[...] : history.suffix(settings.dry.lastCount))
    let free = min(countSinceBreaker, window.count)
    var longest = 0
    for place in window.indices where window[place] == token {
      let length = (0...min(place, free)).last {
        window[..<place].suffix($0) == window.suffix($0)
      }
      longest = max(longest, length ?? 0)
    }
    return longest >= settings.dry.allowedLength ? longest : nil
  }

  /// How many tokens follow the one in which the last breaker ended.
  private var countSinceBreaker: Int {
    var bytes: [UInt8] = []
    var owners: [Int] = []
    var last = -1
    for (index, token) in history.enumerated() {
      guard case .plain(let text) = texts[token] else {
        (bytes, owners, last) = ([], [], index)
        continue
      }
      bytes += text
      owners += text.map { _ in index }
    }
    for breaker in settings.dry.breakers {
      for end in ends(of: breaker, in: bytes) { last = max(last, owners[end]) }
    }
    return history.count - 1 - last
  }

  /// Where a text ends in others: the places of its last bytes.
  private func ends(of text: String, in bytes: [UInt8]) -> [Int] {
    bytes.indices.filter { bytes[...$0].suffix(text.utf8.count).elementsEqual(text.utf8) }
  }

  private mutating func draw() -> Int {
    let unit = random.nextUnit()
    var sum = 0.0
    let place = shares.firstIndex { share in
      sum += share
      return unit < sum
    }
    return candidates[place ?? candidates.count - 1].id
  }

  var shares: [Double] { Self.softmax(candidates.map(\.score)) }

  private mutating func sort() {
    candidates.sort { $0.score == $1.score ? $0.id < $1.id : $0.score > $1.score }
  }

  /// Scores that are changed stay single-precision numbers.
  private func rounded(_ score: Double) -> Double {
    let limit = Double(Float.greatestFiniteMagnitude)
    return Double(Float(max(-limit, min(limit, score))))
  }

  static func softmax(_ values: [Double]) -> [Double] {
    let best = values.max() ?? 0
    let weights = values.map { exp($0 - best) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }
}

/// Random scores: mostly a bell, sometimes coarse so that many are equal, sometimes very peaked.
func randomLogits(count: Int, using random: inout RandomSource) -> [Float] {
  let kind = random.next() % 3
  return (0..<count).map { _ in
    let bell = (0..<6).reduce(0.0) { sum, _ in sum + random.nextUnit() - 0.5 }
    return switch kind {
    case 0: Float(bell * 4)
    case 1: Float((bell * 3).rounded())
    default: Float(bell * bell * bell * 20)
    }
  }
}
