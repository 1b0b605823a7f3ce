import Downloads
import Testing

@testable import hybrimoe

@Suite struct `Progress of downloads` {
  private let start = ContinuousClock.now
  private func time(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  private let files = [
    RemoteFile(path: "m-1.gguf", byteCount: 60_000_000, sha256: ""),
    RemoteFile(path: "m-2.gguf", byteCount: 40_000_000, sha256: ""),
  ]

  @Test func `tells how far it is, how fast, and how long it takes`() {
    var pace = DownloadPace()
    #expect(pace.line(at: time(0), width: 100) == nil)
    pace.begin(files)
    _ = pace.take(.began(files[0], present: 0), at: time(0))
    _ = pace.take(.received(10_000_000), at: time(1))
    _ = pace.take(.received(20_000_000), at: time(2))
    let line = pace.line(at: time(2), width: 120) ?? ""
    #expect(
      line.hasSuffix("20 %, 20.0 MB of 100 MB, file 1 of 2, 10.0 MB/s, 8 s left"), "\(line)")
    #expect(line.hasPrefix("m-1.gguf  [####................"), "\(line)")
  }

  @Test func `follows a network that becomes slow`() {
    var pace = DownloadPace()
    pace.begin(files)
    _ = pace.take(.began(files[0], present: 0), at: time(0))
    for second in 1...10 { _ = pace.take(.received(second * 4_000_000), at: time(Double(second))) }
    for second in 11...30 {
      _ = pace.take(.received(40_000_000 + (second - 10) * 100_000), at: time(Double(second)))
    }
    let line = pace.line(at: time(30), width: 120) ?? ""
    #expect(line.contains("100 kB/s"), "\(line)")
    // A connection that gives nothing slows it down too.
    #expect(pace.line(at: time(60), width: 120)?.contains("25.0 kB/s") == true)
  }

  @Test func `says what it goes on from, and what broke`() {
    var pace = DownloadPace()
    pace.begin(files)
    #expect(
      pace.take(.began(files[0], present: 30_000_000), at: time(0))
        == "m-1.gguf: going on after 30.0 MB of 60.0 MB.")
    #expect(
      pace.take(.interrupted(reason: "the connection broke", waitSeconds: 4), at: time(1))
        == "The connection broke; trying again in 4 s.")
    #expect(
      pace.take(.restarted(reason: "the server has another content now"), at: time(1))
        == "m-1.gguf: the server has another content now; starting again from the beginning.")
    #expect(pace.line(at: time(1), width: 100)?.contains(" 0 %") == true)
    #expect(
      pace.take(.finished(files[0], path: "", wasThere: false), at: time(2))
        == "m-1.gguf: 60.0 MB, and its checksum is right.")
    #expect(
      pace.take(.finished(files[1], path: "", wasThere: true), at: time(3))
        == "m-2.gguf is there already, and its checksum is right.")
    #expect(pace.line(at: time(3), width: 100) == nil)
  }

  @Test func `fits every terminal`() {
    var pace = DownloadPace()
    let file = RemoteFile(
      path: String(repeating: "long", count: 40) + ".gguf", byteCount: 999_999_999_999, sha256: "")
    pace.begin([file, file])
    _ = pace.take(.began(file, present: 0), at: time(0))
    _ = pace.take(.received(123_456_789_012), at: time(100))
    for width in 1...200 {
      let line = pace.line(at: time(100), width: width) ?? ""
      #expect(!line.isEmpty && line.count <= max(1, width - 1), "\(width): \(line)")
    }
  }
}
