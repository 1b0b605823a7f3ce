import CZlib

/// Unpacks gzip data (RFC 1952) that comes in pieces.
///
/// Several members one after another are one text, as `cat a.gz b.gz` makes them and RFC 1952
/// demands. Checksums and lengths are checked by zlib. Zeros after the last member are padding.
public struct Inflater: ~Copyable {
  /// The first two bytes of gzip data.
  public static let magic: [UInt8] = [0x1F, 0x8B]

  private let stream: GzipStream
  private var state = State.betweenMembers
  private var consumed = 0
  private var hasMember = false

  private enum State { case betweenMembers, inMember, padding }

  /// - Throws: `GzipError.outOfMemory`.
  public init() throws(GzipError) {
    stream = GzipStream(end: inflateEnd)
    // 15 bits of window, and 16 for gzip instead of zlib framing.
    guard
      inflateInit2_(
        stream.pointer, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .outOfMemory }
  }

  /// Unpacks the next piece and appends what it gives.
  ///
  /// What could be unpacked before an error is appended before the error is thrown; the inflater
  /// must not be used after one.
  public mutating func unpack(
    _ input: borrowing [UInt8], to output: inout [UInt8]
  ) throws(GzipError) {
    var rest = input[...]
    while !rest.isEmpty {
      switch state {
      case .padding:
        guard rest.allSatisfy({ $0 == 0 }) else { throw damaged("bytes after the end") }
        consumed += rest.count
        return
      case .betweenMembers:
        if hasMember, rest.first == 0 {
          state = .padding
          continue
        }
        state = .inMember
        hasMember = true
      case .inMember:
        let used = try inflateOnce(rest, to: &output)
        rest = rest.dropFirst(used)
        consumed += used
      }
    }
  }

  /// Checks that the data does not end in the middle.
  ///
  /// - Throws: `GzipError.truncated`.
  public mutating func finish() throws(GzipError) {
    guard hasMember, state != .inMember else { throw .truncated }
  }

  /// One call into zlib; returns the bytes it took.
  private mutating func inflateOnce(
    _ input: ArraySlice<UInt8>, to output: inout [UInt8]
  ) throws(GzipError) -> Int {
    var code = Z_OK
    let used = stream.run(input, to: &output) { code = inflate($0, Z_NO_FLUSH) }
    switch code {
    case Z_OK: break
    // No progress: more input is needed, which the caller brings, for output room is never zero.
    case Z_BUF_ERROR: break
    case Z_STREAM_END:
      inflateReset(stream.pointer)
      state = .betweenMembers
    case Z_MEM_ERROR: throw .outOfMemory
    default:
      consumed += used
      throw damaged(stream.message)
    }
    return used
  }

  private func damaged(_ detail: String) -> GzipError {
    .damaged(offset: consumed, detail: detail)
  }
}
