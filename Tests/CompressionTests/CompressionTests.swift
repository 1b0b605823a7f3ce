import Compression
import TestSupport
import Testing

private func packed(_ bytes: [UInt8], pieces: Int = Int.max) throws -> [UInt8] {
  var result: [UInt8] = []
  var deflater = try Deflater()
  var rest = bytes[...]
  while !rest.isEmpty {
    deflater.pack(Array(rest.prefix(pieces)), to: &result)
    rest = rest.dropFirst(pieces)
  }
  deflater.finish(to: &result)
  return result
}

private func unpacked(_ bytes: [UInt8], pieces: Int = Int.max) throws -> [UInt8] {
  var result: [UInt8] = []
  var inflater = try Inflater()
  var rest = bytes[...]
  while !rest.isEmpty {
    try inflater.unpack(Array(rest.prefix(pieces)), to: &result)
    rest = rest.dropFirst(pieces)
  }
  try inflater.finish()
  return result
}

private func message(_ bytes: [UInt8], pieces: Int = Int.max) -> String {
  do { return "\(try unpacked(bytes, pieces: pieces).count) bytes" } catch { return "\(error)" }
}

@Suite struct `Gzip data` {
  /// Half of it compresses well, half not at all; larger than zlib's window and our room.
  private static let text: [UInt8] = {
    var random = SeededGenerator(seed: 1)
    return (0..<150_000).map {
      $0 % 2000 < 1000 ? UInt8($0 % 7) : UInt8(truncatingIfNeeded: random.next())
    }
  }()

  @Test(arguments: [1, 7, 1000, Int.max]) func `gives back what was packed`(pieces: Int) throws {
    let text = pieces == 1 ? Array(Self.text.prefix(3000)) : Self.text
    #expect(try unpacked(packed(text, pieces: pieces), pieces: pieces) == text)
    #expect(try unpacked(packed([])) == [])
  }

  @Test func `is the same for the same text`() throws {
    #expect(try packed(Self.text) == packed(Self.text))
    #expect(try packed(Self.text).starts(with: Inflater.magic))
  }

  /// `printf 'hello\n' | gzip -n | xxd -i`, gzip 1.12.
  @Test func `of another program is unpacked`() throws {
    let hello: [UInt8] = [
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
      0xe7, 0x02, 0x00, 0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00,
    ]
    #expect(try unpacked(hello) == Array("hello\n".utf8))
  }

  @Test(arguments: [1, 5, Int.max]) func `may have several members and padding`(
    pieces: Int
  ) throws {
    let members = try packed(Array("ab".utf8)) + packed([]) + packed(Array("c".utf8))
    #expect(try unpacked(members, pieces: pieces) == Array("abc".utf8))
    #expect(try unpacked(members + [0, 0, 0], pieces: pieces) == Array("abc".utf8))
    #expect(message(members + [0, 1], pieces: pieces).contains("bytes after the end"))
    #expect(message(members + [1, 2], pieces: pieces).contains("damaged near byte"))
  }

  @Test func `that is cut off anywhere is an error`() throws {
    let whole = try packed(Array("hello hello hello".utf8))
    for length in whole.indices {
      #expect(
        message(Array(whole.prefix(length))) == GzipError.truncated.description, "\(length)")
    }
  }

  @Test func `in which a bit is changed is an error or still the same text`() throws {
    let text = Array("hello hello hello".utf8)
    let whole = try packed(text)
    // Behind the header, which has free fields: time, system, flags. The bits between the last
    // block and the checksum are free too.
    for byte in 10..<whole.count {
      for bit in 0..<8 {
        var changed = whole
        changed[byte] ^= 1 << bit
        #expect(((try? unpacked(changed)) ?? text) == text, "byte \(byte), bit \(bit)")
      }
    }
    for byte in 0..<10 {
      var changed = whole
      changed[byte] ^= 0xFF
      _ = message(changed)
    }
  }

  @Test func `keeps what stands before the damage`() throws {
    var damaged = try packed(Self.text)
    damaged[damaged.count * 3 / 4] ^= 0x55
    var result: [UInt8] = []
    var inflater = try Inflater()
    #expect(throws: GzipError.self) {
      var output: [UInt8] = []
      defer { result = output }
      try inflater.unpack(damaged, to: &output)
      try inflater.finish()
    }
    #expect(result.count > Self.text.count / 2)
    #expect(Self.text.starts(with: result.prefix(Self.text.count / 2)))
  }

  @Test func `is told from other data`() {
    #expect(message(Array("plain text".utf8)).contains("damaged near byte"))
    #expect(message([]) == GzipError.truncated.description)
  }
}
