import CZlib

/// Packs a text that comes in pieces into gzip data.
///
/// The result has no time stamp and no name, so that the same text always gives the same bytes
/// (of one version of zlib).
public struct Deflater: ~Copyable {
  private let stream: GzipStream

  /// - Throws: `GzipError.outOfMemory`.
  public init() throws(GzipError) {
    stream = GzipStream(end: deflateEnd)
    // zlib's own choice of level, window and memory; 16 for gzip instead of zlib framing.
    guard
      deflateInit2_(
        stream.pointer, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY,
        ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .outOfMemory }
  }

  /// Packs the next piece and appends what there is of the result so far.
  public mutating func pack(_ input: borrowing [UInt8], to output: inout [UInt8]) {
    var rest = input[...]
    while !rest.isEmpty {
      // With room for output and input left, deflate has no way to fail.
      let used = stream.run(rest, to: &output) { _ = deflate($0, Z_NO_FLUSH) }
      rest = rest.dropFirst(used)
    }
  }

  /// Appends what makes all of the text so far readable, so that a reader of an unfinished file
  /// loses nothing. Costs a few bytes each time.
  public mutating func flush(to output: inout [UInt8]) {
    var produced = output.count
    repeat {
      produced = output.count
      _ = stream.run([], to: &output) { _ = deflate($0, Z_SYNC_FLUSH) }
      // A call that fills its room has more to give.
    } while output.count - produced >= GzipStream.roomBytes
  }

  /// Appends the rest of the result; the deflater must not be used after it.
  public mutating func finish(to output: inout [UInt8]) {
    var code = Z_OK
    while code == Z_OK {
      _ = stream.run([], to: &output) { code = deflate($0, Z_FINISH) }
    }
  }
}
