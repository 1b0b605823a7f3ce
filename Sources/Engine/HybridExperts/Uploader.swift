import Devices
import ExpertPrefetching
import Experts

/// Copies experts into their slots, piece by piece, on a stream of its own.
///
/// A first piece waits for the last launch that reads what was in the slot; behind the last piece the
/// slot's word is raised. Pieces are issued in the order in which they are handed over, and giving a copy
/// up means handing over no more of it: what was issued is overwritten by the slot's next expert, whose
/// pieces follow in the same stream.
final class Uploader {
  let stream: any DeviceStream
  private let slots: ExpertSlots
  private let weights: HostExperts
  private let marks: EventPool
  private let waitsForMemory: Bool
  /// Bytes issued so far.
  private(set) var issuedBytes = 0

  init(
    _ device: any Device, slots: ExpertSlots, weights: HostExperts, marks: EventPool
  ) throws(DeviceError) {
    stream = try device.makeStream(name: "upload")
    self.slots = slots
    self.weights = weights
    self.marks = marks
    waitsForMemory = device.properties.waitsForMemory
  }

  /// Issues an expert's bytes up to the share of the whole that is wanted by now.
  /// - Parameter end: bytes from the expert's begin, of `total`.
  /// - Returns: whether the last byte was issued.
  func issue(_ upload: Upload, through end: Int, of total: Int) throws -> Bool {
    guard !upload.isWhole else { return true }
    if upload.begin == nil {
      if let mark = upload.claim.lastRead { try stream.wait(for: mark.event) }
      upload.begin = try marks.mark(stream)
    }
    let all = weights.byteCount(of: upload.expert)
    let wanted =
      end >= total ? all : Int(Double(all) * Double(end) / Double(total)) / 256 * 256
    if wanted > upload.issuedBytes {
      try weights.copy(
        upload.expert, bytes: upload.issuedBytes..<wanted, to: slots.address(of: upload.claim.slot),
        on: stream)
      issuedBytes += wanted - upload.issuedBytes
      upload.issuedBytes = wanted
    }
    guard end >= total else { return false }
    if waitsForMemory {
      try stream.write(upload.claim.arrival, to: slots.arrivalWord(of: upload.claim.slot))
    }
    let mark = try marks.mark(stream)
    if !waitsForMemory { slots.noteArrival(of: upload.claim.slot, mark) }
    upload.end = mark
    upload.isWhole = true
    return true
  }
}

/// One expert's copy into a slot.
final class Upload {
  let expert: ExpertID
  let claim: SlotClaim
  fileprivate(set) var issuedBytes = 0
  /// How far the director takes the link to be, in its bytes.
  var reach = 0
  /// Whether launches that are submitted wait for it.
  var isAwaited = false
  /// The class in which the latest piece was issued.
  var priority = TransferQueue.Priority.onDemand
  /// Where the stream stood before the first byte, and behind the last.
  fileprivate(set) var begin: StreamMark?
  fileprivate(set) var end: StreamMark?
  /// Whether the last byte has been issued, and the arrival behind it.
  fileprivate(set) var isWhole = false

  init(_ expert: ExpertID, _ claim: SlotClaim) {
    self.expert = expert
    self.claim = claim
  }
}
