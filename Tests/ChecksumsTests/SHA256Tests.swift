import CChecksums
import Checksums
import TestSupport
import Testing

@Suite struct SHA256Tests {
  @Test func `the examples of the definition have the published values`() {
    func checksum(_ text: String) -> String {
      var sum = SHA256()
      sum.update(Array(text.utf8))
      return sum.hexadecimal
    }
    #expect(
      checksum("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      checksum("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      checksum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test func `every length has the checksum of the plain formula`() {
    for count in 0...200 {
      let bytes = LocalHub.content(count, seed: UInt64(count))
      var sum = SHA256()
      sum.update(bytes)
      #expect(sum.hexadecimal == plainSHA256(bytes), "\(count) bytes")
    }
  }

  @Test func `pieces give the checksum of the whole`() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<100 {
      let bytes = LocalHub.content(Int.random(in: 0...1000, using: &random))
      var sum = SHA256()
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 0...130, using: &random))
        sum.update(Array(piece))
        // Looking at the checksum changes nothing.
        _ = sum.hexadecimal
        rest = rest.dropFirst(piece.count)
      }
      #expect(sum.hexadecimal == plainSHA256(bytes), "\(bytes.count) bytes")
    }
  }

  @Test func `both ways of computing blocks agree`() {
    for count in 0...9 {
      let bytes = LocalHub.content(64 * count, seed: 5)
      var quick: [UInt32] = [1, 2, 3, 4, 5, 6, 7, 0xFFFF_FFFF]
      var plain = quick
      bytes.withUnsafeBufferPointer { hybrimoe_sha256(&quick, $0.baseAddress, count) }
      bytes.withUnsafeBufferPointer { hybrimoe_sha256_plain(&plain, $0.baseAddress, count) }
      #expect(quick == plain)
    }
  }
}
