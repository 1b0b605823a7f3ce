import CPUCompute
import Devices
import Synchronization

/// The chunks of the packed weights' memory that are pinned, and those that are to be.
///
/// Pinning a chunk takes milliseconds in which no layer can be served by whoever does it. So a copy only says
/// which chunk it wants, and takes a detour; a thread that holds no other lock pins it for the next one. It
/// also pins the chunk behind, since weights are packed one behind the other: the first copies out of it
/// find it pinned.
// Safety: `state` is guarded by the lock; all else is immutable.
final class PinnedChunks: @unchecked Sendable {
  private enum Chunk {
    case untouched
    /// Somebody wants it, or wanted the one before (`isAhead`).
    case wanted(isAhead: Bool)
    case pinned(PinnedMemory)
    case refused
  }

  private struct State {
    var chunks: [Chunk]
    /// In the order in which they were asked for.
    var queue: [Int] = []
    var pinnedByteCount = 0
    var refusal: String?
  }

  /// Memory that may be pinned; each part is cut into chunks of its own.
  private struct Part {
    let memory: UnsafeMutableRawBufferPointer
    let first: Int
    let count: Int
  }

  private let device: any Device
  private let budget: PinnedBudget
  private let parts: [Part]
  /// Whose memory that is: it must stay mapped until the last chunk is pinned no more.
  private let store: PackedStore?
  private let state: Mutex<State>
  /// Called when a chunk is wanted, from the thread that wants it.
  private let onWish: Mutex<(@Sendable () -> Void)?> = Mutex(nil)

  init(_ device: any Device, store: PackedStore?, budget: PinnedBudget) {
    self.device = device
    self.budget = budget
    self.store = store
    var parts: [Part] = []
    var first = 0
    for memory in store?.memoryParts ?? [] where !memory.isEmpty {
      let count = (memory.count + budget.chunkByteCount - 1) / budget.chunkByteCount
      parts.append(Part(memory: memory, first: first, count: count))
      first += count
    }
    self.parts = parts
    state = Mutex(State(chunks: Array(repeating: .untouched, count: first)))
  }

  deinit {
    // Before the store goes, in whichever order the rest does.
    state.withLock { $0.chunks.removeAll() }
  }

  var pinnedByteCount: Int { state.withLock { $0.pinnedByteCount } }

  /// Why no more is pinned, once that is so.
  var refusal: String? { state.withLock { $0.refusal } }

  func refuse(_ reason: String) { state.withLock { $0.refusal = $0.refusal ?? reason } }

  /// From now on wishes are fulfilled by whoever is called here; before, at once by the one who wishes.
  func leavePinning(to worker: @escaping @Sendable () -> Void) { onWish.withLock { $0 = worker } }

  // MARK: What copies ask for

  /// The first of some bytes, as far as they are pinned in one go; nil where the first is not.
  /// - Throws: `DeviceError` other than for want of memory, where wishes are fulfilled at once.
  func pinned(_ bytes: UnsafeRawBufferPointer) throws(DeviceError) -> PinnedSpan? {
    guard let (chunk, offset) = place(bytes) else { return nil }
    if wish(chunk) {
      if let worker = onWish.withLock({ $0 }) { worker() } else { try pinWanted() }
    }
    return state.withLock { state in
      guard case .pinned(let memory) = state.chunks[chunk] else { return nil }
      return memory.span(offset, byteCount: min(bytes.count, memory.byteCount - offset))
    }
  }

  /// Bytes up to the end of the first one's chunk.
  func toChunkEnd(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let (_, offset) = place(bytes) else { return bytes.count }
    return budget.chunkByteCount - offset
  }

  /// Whether some bytes lie where they could be pinned.
  func canPin(_ bytes: UnsafeRawBufferPointer) -> Bool { place(bytes) != nil }

  private func place(_ bytes: UnsafeRawBufferPointer) -> (chunk: Int, offset: Int)? {
    guard let start = bytes.baseAddress else { return nil }
    for part in parts {
      guard let base = part.memory.baseAddress else { continue }
      let offset = start - UnsafeRawPointer(base)
      guard offset >= 0, offset < part.memory.count else { continue }
      return (part.first + offset / budget.chunkByteCount, offset % budget.chunkByteCount)
    }
    return nil
  }

  // Returns whether anything is new.
  private func wish(_ chunk: Int) -> Bool {
    state.withLock { state in
      guard state.refusal == nil else { return false }
      var isNew = false
      switch state.chunks[chunk] {
      case .refused: return false
      case .pinned, .wanted(isAhead: false): break
      case .wanted(isAhead: true), .untouched:
        state.queue.removeAll { $0 == chunk }
        state.chunks[chunk] = .wanted(isAhead: false)
        state.queue.append(chunk)
        isNew = true
      }
      let next = chunk + 1
      guard isSamePart(chunk, next), case .untouched = state.chunks[next],
        budget.chunkByteCount <= budget.byteCount - state.pinnedByteCount
      else { return isNew }
      state.chunks[next] = .wanted(isAhead: true)
      state.queue.append(next)
      return true
    }
  }

  private func isSamePart(_ chunk: Int, _ next: Int) -> Bool {
    parts.contains {
      ($0.first..<$0.first + $0.count).contains(chunk) && next < $0.first + $0.count
    }
  }

  // MARK: Pinning

  /// Pins what is wanted. One thread at a time does it; others may ask meanwhile.
  /// - Throws: `DeviceError` other than for want of memory.
  func pinWanted() throws(DeviceError) {
    while let (chunk, memory) = takeWanted() {
      do throws(DeviceError) {
        let pinned = try device.pin(memory.base, byteCount: memory.byteCount)
        state.withLock { $0.chunks[chunk] = .pinned(pinned) }
      } catch {
        guard error.isShortage else { throw error }
        state.withLock { state in
          state.pinnedByteCount -= memory.byteCount
          state.chunks[chunk] = .refused
          state.refusal = state.refusal ?? "\(error)"
        }
      }
    }
  }

  // The first chunk that is wanted and fits into the budget, which is taken from it.
  private func takeWanted() -> (
    chunk: Int, memory: (base: UnsafeMutableRawPointer, byteCount: Int)
  )? {
    state.withLock { state in
      while !state.queue.isEmpty {
        let chunk = state.queue.removeFirst()
        guard case .wanted(let isAhead) = state.chunks[chunk], let memory = memory(of: chunk)
        else { continue }
        guard state.refusal == nil, memory.byteCount <= budget.byteCount - state.pinnedByteCount
        else {
          // Nobody has asked for it yet.
          state.chunks[chunk] = isAhead ? .untouched : .refused
          if !isAhead, state.refusal == nil {
            state.refusal = "the budget of \(budget.byteCount >> 20) MiB is used up"
          }
          continue
        }
        state.pinnedByteCount += memory.byteCount
        state.chunks[chunk] = .wanted(isAhead: false)
        return (chunk, memory)
      }
      return nil
    }
  }

  private func memory(of chunk: Int) -> (base: UnsafeMutableRawPointer, byteCount: Int)? {
    guard
      let part = parts.first(where: { ($0.first..<$0.first + $0.count).contains(chunk) }),
      let base = part.memory.baseAddress
    else { return nil }
    let start = (chunk - part.first) * budget.chunkByteCount
    return (base + start, min(budget.chunkByteCount, part.memory.count - start))
  }
}
