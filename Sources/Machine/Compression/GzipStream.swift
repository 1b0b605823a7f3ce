import CZlib

/// The state of zlib, which must stay at one address, and the only place that gives it pointers.
struct GzipStream: ~Copyable {
  let pointer: UnsafeMutablePointer<z_stream>
  private let end: (UnsafeMutablePointer<z_stream>) -> Int32
  /// Output bytes of one call.
  static let roomBytes = 1 << 16

  /// - Parameter end: what frees zlib's own part of the state.
  init(end: @escaping (UnsafeMutablePointer<z_stream>) -> Int32) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: z_stream())
    self.end = end
  }

  deinit {
    // Also right after a failed initialisation: zlib then finds no state and does nothing.
    _ = end(pointer)
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }

  /// What zlib says about the last error.
  var message: String { pointer.pointee.msg.map { String(cString: $0) } ?? "unknown error" }

  /// Calls zlib once with some input and room for output, which is appended; returns the number of
  /// input bytes that were taken.
  func run(
    _ input: ArraySlice<UInt8>, to output: inout [UInt8],
    _ body: (UnsafeMutablePointer<z_stream>) -> Void
  ) -> Int {
    // Longer input is taken in several calls: the count must fit into zlib's 32 bits.
    let input = input.prefix(1 << 30)
    var used = 0
    let produced = [UInt8](unsafeUninitializedCapacity: Self.roomBytes) { room, count in
      input.withUnsafeBufferPointer { bytes in
        // Safety: zlib only reads from `next_in`, and both buffers outlive the call.
        pointer.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        pointer.pointee.avail_in = UInt32(bytes.count)
        pointer.pointee.next_out = room.baseAddress
        pointer.pointee.avail_out = UInt32(room.count)
        body(pointer)
        used = bytes.count - Int(pointer.pointee.avail_in)
        count = room.count - Int(pointer.pointee.avail_out)
      }
      pointer.pointee.next_in = nil
      pointer.pointee.next_out = nil
    }
    output += produced
    return used
  }
}
