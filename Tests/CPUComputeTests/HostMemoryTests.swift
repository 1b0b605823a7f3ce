import TestSupport
import Testing

@testable import HostMemory

@Suite struct HostMemoryTests {
  @Test func `a file that is not there is an error that names it`() {
    #expect {
      try MappedFile(path: "/nonexistent/model.gguf")
    } throws: { "\($0)".contains("/nonexistent/model.gguf") }
  }

  @Test func `a directory is refused as what it is`() {
    #expect(throws: HostMemoryError.notARegularFile(path: "/", kind: "directory")) {
      try MappedFile(path: "/")
    }
  }

  @Test func `a mapped file has the bytes of the file`() throws {
    let path = #filePath
    let mapped = try MappedFile(path: path)
    #expect(Array(mapped.bytes) == (try fileBytes(path: path)))
  }

  @Test func `an impossible amount of memory is an error`() {
    #expect(throws: HostMemoryError.self) {
      try AlignedBuffer(byteCount: 1 << 62, purpose: "a test")
    }
  }

  @Test func `lists of processors are read`() {
    #expect(SystemFiles.numbers(inList: "0-3,8,10-11") == [0, 1, 2, 3, 8, 10, 11])
    #expect(SystemFiles.numbers(inList: "5") == [5])
    for wrong in ["3-1", "a", "1-2-3", "-1", "0-99999999999"] {
      #expect(SystemFiles.numbers(inList: wrong) == nil, "\(wrong)")
    }
    #expect(ProcessorCount.usableCores() >= 1)
  }
}
