import Devices
import Experts

/// Physical places for experts in device memory, all of one size, each with what orders its readers and
/// writers.
///
/// - *Arrival*: a word of pinned memory that the upload stream raises behind an expert's last byte. What
///   reads the slot waits for it. Where a device cannot wait for memory, an event takes its place.
/// - *Last read*: a mark behind the last launch that reads the slot. The next expert's first piece waits
///   for it.
final class ExpertSlots {
  private(set) var ledger: SlotLedger
  let slotByteCount: Int
  private let memory: DeviceMemory?
  private let words: PinnedMemory?
  // By slot.
  private var arrivals: [UInt32]
  private var arrivalMarks: [StreamMark?]
  private var isSettled: [Bool]
  private var lastReads: [StreamMark?]

  /// - Throws: `DeviceError.outOfMemory`, `.cannotPin`, `.lost`.
  init(_ device: any Device, count: Int, slotByteCount: Int) throws(DeviceError) {
    self.slotByteCount = slotByteCount
    memory =
      count == 0
      ? nil : try device.allocate(byteCount: count * slotByteCount, purpose: "expert slots")
    words =
      count == 0
      ? nil : try device.allocatePinned(byteCount: count * 4, purpose: "expert slots' words")
    ledger = SlotLedger(count: count)
    arrivals = Array(repeating: 0, count: count)
    arrivalMarks = Array(repeating: nil, count: count)
    isSettled = Array(repeating: true, count: count)
    lastReads = Array(repeating: nil, count: count)
    if let words {
      for slot in 0..<count { device.write(0, to: words.word(at: 4 * slot)) }
    }
  }

  var count: Int { ledger.count }

  /// Where a slot begins in device memory.
  func address(of slot: Int) -> UInt64 {
    guard let memory else { preconditionFailure("there are no slots") }
    return memory.address + UInt64(slot * slotByteCount)
  }

  // MARK: Who is where

  /// A slot for an expert that is to be copied, with all that its upload must heed; `nil` where none is
  /// free.
  func claim(for expert: ExpertID) -> SlotClaim? {
    guard let slot = ledger.claim(for: expert) else { return nil }
    arrivals[slot] &+= 1
    arrivalMarks[slot] = nil
    isSettled[slot] = false
    return SlotClaim(slot: slot, arrival: arrivals[slot], lastRead: lastReads[slot])
  }

  func publish(_ expert: ExpertID) { ledger.publish(expert) }
  func drop(_ expert: ExpertID) { ledger.drop(expert) }
  func retain(_ expert: ExpertID) { ledger.retain(expert) }
  func release(_ expert: ExpertID) { ledger.release(expert) }
  func releaseAll() { ledger.releaseAll() }

  // MARK: Readers

  /// Lets what follows in a stream wait until a slot's expert is whole.
  ///
  /// Once for each upload: launches follow each other in one stream, so that the later ones of them are
  /// behind the same wait.
  func waitForArrival(
    in slot: Int, on stream: any DeviceStream, waitsForMemory: Bool
  ) throws(DeviceError) {
    guard !isSettled[slot], let words else { return }
    if waitsForMemory {
      try stream.wait(for: words.word(at: 4 * slot), atLeast: arrivals[slot])
    } else {
      guard let mark = arrivalMarks[slot] else {
        preconditionFailure("without waits for memory a copy is issued before what reads it")
      }
      try stream.wait(for: mark.event)
    }
    isSettled[slot] = true
  }

  /// Whether an expert's last byte is in its slot by now.
  func isThere(_ expert: ExpertID) -> Bool {
    guard let slot = ledger.slot(of: expert), ledger.isResident(expert) else { return false }
    return isSettled[slot] || arrivalWord(of: slot).hasReached(arrivals[slot])
  }

  /// Notes the last launch that reads a slot.
  func noteRead(of slot: Int, _ mark: StreamMark) { lastReads[slot] = mark }

  // MARK: Writers

  /// The word that an upload into a slot raises.
  func arrivalWord(of slot: Int) -> PinnedWord {
    guard let words else { preconditionFailure("there are no slots") }
    return words.word(at: 4 * slot)
  }

  /// Notes the event behind an upload's last byte, for a device that cannot wait for memory.
  func noteArrival(of slot: Int, _ mark: StreamMark) { arrivalMarks[slot] = mark }
}

/// A slot that an upload may fill.
struct SlotClaim {
  let slot: Int
  /// What the slot's word is when the expert is whole.
  let arrival: UInt32
  /// The last launch that read what was there before.
  let lastRead: StreamMark?
}

extension DeviceError {
  /// Whether less memory would have been granted.
  var isShortage: Bool {
    switch self {
    case .outOfMemory, .cannotPin: true
    default: false
    }
  }
}
