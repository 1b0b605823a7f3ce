/// What is wrong with gzip data.
public enum GzipError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The data ends in the middle of a member.
  case truncated
  /// The data is not what a compressor wrote; `offset` bytes were compressed data that could be
  /// used, and `detail` is the library's own word.
  case damaged(offset: Int, detail: String)
  /// The library could not get memory.
  case outOfMemory

  public var description: String {
    switch self {
    case .truncated: "the gzip data ends in the middle: the file was cut off"
    case .damaged(let offset, let detail):
      "the gzip data is damaged near byte \(offset) (\(detail))"
    case .outOfMemory: "there is not enough memory to unpack the gzip data"
    }
  }
}
