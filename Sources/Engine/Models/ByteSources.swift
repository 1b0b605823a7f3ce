import GGUF
import HostMemory

/// A mapped file as the GGUF reader wants its bytes.
public struct MappedSource: ByteSource {
  public let file: MappedFile

  public init(_ file: MappedFile) { self.file = file }

  public var byteCount: Int { file.byteCount }

  public func withBytes<R>(_ body: (Span<UInt8>) throws -> R) throws -> R {
    try body(file.bytes.bindMemory(to: UInt8.self).span)
  }
}

/// Bytes that lie in memory for the whole life of the process (a model inside the binary).
// Safety: the bytes are constant and never freed.
public struct StaticSource: ByteSource, @unchecked Sendable {
  public let bytes: UnsafeRawBufferPointer

  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  public var byteCount: Int { bytes.count }

  public func withBytes<R>(_ body: (Span<UInt8>) throws -> R) throws -> R {
    try body(bytes.bindMemory(to: UInt8.self).span)
  }
}

/// Bytes that the program has made itself, in memory of their own. Pages of weights that were packed are
/// given back, as those of a file are, but come back as zeros: for measuring speed, not for text.
public struct MadeSource: ByteSource {
  private let buffer: AlignedBuffer
  public let byteCount: Int

  /// - Parameter byteCount: how many of the buffer's bytes are the file.
  public init(_ buffer: AlignedBuffer, byteCount: Int) {
    precondition(byteCount <= buffer.byteCount)
    self.buffer = buffer
    self.byteCount = byteCount
  }

  /// Valid as long as this value lives.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.base, count: byteCount) }

  public func withBytes<R>(_ body: (Span<UInt8>) throws -> R) throws -> R {
    try body(bytes.bindMemory(to: UInt8.self).span)
  }
}
