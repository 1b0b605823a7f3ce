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

  @Test
  func `memory that cannot be spread over nodes is memory all the same, and the reason is told`()
    throws
  {
    let memory = try AlignedBuffer(byteCount: 1 << 16, purpose: "a test")
    #expect(memory.interleave(over: []) == nil && memory.interleave(over: [0]) == nil)
    #expect(memory.interleave(over: [0, 5_000]) != nil)
    #expect(memory.interleave(over: [-1, 0]) != nil)
    // One node twice is one node, which every machine has; a container may still refuse.
    _ = memory.interleave(over: [0, 0])
    memory.base.storeBytes(of: 7, toByteOffset: 1 << 15, as: Int.self)
    #expect(memory.base.load(fromByteOffset: 1 << 15, as: Int.self) == 7)
  }
}
