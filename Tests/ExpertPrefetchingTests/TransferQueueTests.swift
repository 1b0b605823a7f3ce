import ExpertPrefetching
import Experts
import TestSupport
import Testing

private let mebibyte = 1 << 20

private func expert(_ layer: Int, _ index: Int) -> ExpertID {
  ExpertID(layer: layer, index: index)
}

@Suite struct TransferQueueTests {
  @Test(arguments: [1, 1000, 2 * mebibyte, 2 * mebibyte + 1, 5_726_000, 106_660_000])
  func `an expert goes whole, in equal pieces of one to two mebibytes`(byteCount: Int) throws {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte)
    queue.enqueue(expert(0, 3), byteCount: byteCount, priority: .fill)
    var moved = 0
    var end: TransferQueue.Completion = .partial
    while let piece = queue.nextPiece(at: 0) {
      #expect(piece.offset == moved)
      #expect(piece.byteCount <= 2 * mebibyte)
      if byteCount > 2 * mebibyte, moved + piece.byteCount < byteCount {
        #expect(piece.byteCount >= mebibyte)
      }
      moved += piece.byteCount
      end = queue.pieceDone(at: 0)
    }
    #expect(moved == byteCount)
    #expect(end == .arrived(expert(0, 3), .fill))
    #expect(queue.isEmpty)
    #expect(queue.counts.moved == [0, 0, byteCount])
  }

  @Test func `no more than two pieces are handed over`() {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte)
    queue.enqueue(expert(0, 0), byteCount: 10 * mebibyte, priority: .onDemand)
    let piece1 = queue.nextPiece(at: 0)
    #expect(piece1 != nil)
    let piece2 = queue.nextPiece(at: 0)
    #expect(piece2 != nil)
    let piece3 = queue.nextPiece(at: 0)
    #expect(piece3 == nil)
    _ = queue.pieceDone(at: 1)
    let piece4 = queue.nextPiece(at: 1)
    #expect(piece4 != nil)
    let piece5 = queue.nextPiece(at: 1)
    #expect(piece5 == nil)
  }

  @Test func `what a plan waits for goes before guesses, and guesses before fills`() {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte, piecesInFlight: 1)
    queue.enqueue(expert(0, 0), byteCount: 4 * mebibyte, priority: .fill)
    let piece6 = queue.nextPiece(at: 0)
    #expect(piece6?.priority == .fill)
    queue.enqueue(expert(1, 0), byteCount: 1, priority: .prefetch)
    queue.enqueue(expert(0, 1), byteCount: 1, priority: .onDemand)
    var order: [TransferQueue.Priority] = []
    repeat {
      _ = queue.pieceDone(at: 0)
      if let piece = queue.nextPiece(at: 0) { order.append(piece.priority) }
    } while !queue.inFlight.isEmpty
    #expect(order == [.onDemand, .prefetch, .fill])
  }

  @Test func `a cancelled copy frees the link at once and its slot after its last piece`() {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte, piecesInFlight: 1)
    queue.enqueue(expert(1, 0), byteCount: 6 * mebibyte, priority: .prefetch)
    queue.enqueue(expert(1, 1), byteCount: 6 * mebibyte, priority: .prefetch)
    queue.enqueue(expert(0, 5), byteCount: mebibyte, priority: .fill)
    _ = queue.nextPiece(at: 0)
    let freed7 = queue.cancelPrefetches { $0.layer == 1 }
    #expect(freed7 == [expert(1, 1)])
    #expect(queue.priority(of: expert(1, 0)) == nil)
    let end8 = queue.pieceDone(at: 1)
    #expect(end8 == .abandoned(expert(1, 0)))
    let piece9 = queue.nextPiece(at: 1)
    #expect(piece9?.expert == expert(0, 5))
    #expect(queue.counts.wasted == [0, 2 * mebibyte, 0])
    #expect(queue.counts.cancelled == [0, 2, 0])
  }

  @Test func `a copy whose pieces are all issued is left to arrive`() {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte)
    queue.enqueue(expert(1, 0), byteCount: 3 * mebibyte, priority: .prefetch)
    while queue.nextPiece(at: 0) != nil {}
    let freed10 = queue.cancelPrefetches { _ in true }
    #expect(freed10.isEmpty)
    let end11 = queue.pieceDone(at: 1)
    #expect(end11 == .partial)
    let end12 = queue.pieceDone(at: 2)
    #expect(end12 == .arrived(expert(1, 0), .prefetch))
    #expect(queue.counts.wasted == [0, 0, 0])
  }

  @Test func `a prefetch that a plan turns out to need is moved up, not copied twice`() {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte, piecesInFlight: 1)
    queue.enqueue(expert(1, 0), byteCount: 4 * mebibyte, priority: .prefetch)
    queue.enqueue(expert(1, 1), byteCount: 4 * mebibyte, priority: .prefetch)
    _ = queue.nextPiece(at: 0)
    let isNew13 = queue.enqueue(expert(1, 1), byteCount: 4 * mebibyte, priority: .onDemand)
    #expect(!isNew13)
    let isNew14 = queue.enqueue(expert(1, 1), byteCount: 4 * mebibyte, priority: .fill)
    #expect(!isNew14)
    #expect(queue.priority(of: expert(1, 1)) == .onDemand)
    _ = queue.pieceDone(at: 1)
    let piece15 = queue.nextPiece(at: 1)
    #expect(piece15?.expert == expert(1, 1))
  }

  @Test func `a copy that was given up goes on where it stopped if it is wanted again`() {
    var queue = TransferQueue(largestPieceBytes: 2 * mebibyte, piecesInFlight: 1)
    queue.enqueue(expert(1, 0), byteCount: 4 * mebibyte, priority: .prefetch)
    _ = queue.nextPiece(at: 0)
    queue.cancelPrefetches { _ in true }
    queue.enqueue(expert(1, 0), byteCount: 4 * mebibyte, priority: .onDemand)
    let end16 = queue.pieceDone(at: 1)
    #expect(end16 == .partial)
    let piece17 = queue.nextPiece(at: 1)
    #expect(piece17?.offset == 2 * mebibyte)
    let end18 = queue.pieceDone(at: 2)
    #expect(end18 == .arrived(expert(1, 0), .onDemand))
  }

  @Test func `an estimated arrival is when a played link delivers`() throws {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var queue = TransferQueue(largestPieceBytes: 2 * mebibyte)
      let speed = LinkSpeed(
        latencyMicroseconds: Double(Int.random(in: 0...20, using: &random)),
        bytesPerMicrosecond: Double.random(in: 5000...50000, using: &random))
      for index in 0..<6 {
        queue.enqueue(
          expert(0, index), byteCount: Int.random(in: 1...9_000_000, using: &random),
          priority: TransferQueue.Priority.allCases.randomElement(using: &random) ?? .fill)
      }
      let now = Double.random(in: 0...900, using: &random)
      var ended: [ExpertID] = []
      queue.play(from: 0, to: now, speed: speed) { piece, _, _, completion in
        if case .arrived(let expert, _) = completion { ended.append(expert) }
      }
      var estimates: [ExpertID: Double] = [:]
      queue.forEachTransfer { expert, _ in
        estimates[expert] = queue.arrival(of: expert, at: now, speed: speed)
      }
      #expect(estimates.count + ended.count == 6, "seed \(seed)")
      let last = estimates.values.max() ?? now
      #expect(abs(queue.freeTime(after: now, speed: speed) - last) < 1e-6, "seed \(seed)")
      var previousEnd = 0.0
      queue.play(from: now, to: .infinity, speed: speed) { _, start, end, completion in
        #expect(start >= previousEnd && end >= start, "seed \(seed)")
        previousEnd = end
        guard case .arrived(let expert, _) = completion else { return }
        let estimate = estimates[expert] ?? -1
        #expect(abs(estimate - end) < 1e-6, "seed \(seed): \(expert)")
      }
      #expect(queue.isEmpty, "seed \(seed)")
    }
  }

  @Test func `an urgent copy waits for the pieces in flight and for nothing else`() {
    for seed in 0..<500 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var queue = TransferQueue(largestPieceBytes: 2 * mebibyte)
      let speed = LinkSpeed(latencyMicroseconds: 0, bytesPerMicrosecond: 20_000)
      for index in 0..<8 {
        queue.enqueue(
          expert(1, index), byteCount: Int.random(in: 1...20_000_000, using: &random),
          priority: Bool.random(using: &random) ? .prefetch : .fill)
      }
      let now = Double.random(in: 0...2000, using: &random)
      queue.play(from: 0, to: now, speed: speed) { _, _, _, _ in }
      queue.enqueue(expert(0, 0), byteCount: 5_726_000, priority: .onDemand)
      let longestWait = 2 * Double(2 << 20) / 20_000
      let alone = 5_726_000 / 20_000.0
      let arrival = queue.arrival(of: expert(0, 0), at: now, speed: speed) ?? .infinity
      #expect(arrival - now <= longestWait + alone + 1e-6, "seed \(seed)")
    }
  }

  @Test func `every byte is accounted for under any sequence of calls`() {
    for seed in 0..<300 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var queue = TransferQueue(largestPieceBytes: 2 * mebibyte)
      var arrived = 0
      var sizes: [ExpertID: Int] = [:]
      for time in 0..<200 {
        let some = expert(0, Int.random(in: 0..<12, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1:
          let size = sizes[some] ?? Int.random(in: 1...8_000_000, using: &random)
          sizes[some] = size
          let priority = TransferQueue.Priority.allCases.randomElement(using: &random)
          queue.enqueue(some, byteCount: size, priority: priority ?? .fill)
        case 2: queue.cancel(.fill) { $0 == some }
        case 3: queue.cancelPrefetches { $0 == some }
        case 4: _ = queue.nextPiece(at: Double(time))
        default:
          guard !queue.inFlight.isEmpty else { continue }
          if case .arrived(let expert, _) = queue.pieceDone(at: Double(time)) {
            arrived += sizes[expert] ?? 0
          }
        }
        #expect(queue.inFlight.count <= 2, "seed \(seed)")
      }
      queue.play(
        from: 200, to: .infinity, speed: LinkSpeed(latencyMicroseconds: 1, bytesPerMicrosecond: 1)
      ) {
        _, _, _, completion in
        if case .arrived(let expert, _) = completion { arrived += sizes[expert] ?? 0 }
      }
      #expect(queue.isEmpty, "seed \(seed)")
      let moved = queue.counts.moved.reduce(0, +)
      #expect(moved == arrived + queue.counts.wasted.reduce(0, +), "seed \(seed)")
    }
  }
}
