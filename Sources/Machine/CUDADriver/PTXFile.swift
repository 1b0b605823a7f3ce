import CGPUKernels
import Glibc

/// A file of kernels in PTX, and what its text says about itself.
struct PTXFile: Sendable {
  let name: String
  /// The text, ended by a zero, as the driver wants it.
  let text: [CChar]
  /// What `.version` says.
  let version: (major: Int, minor: Int)
  /// What `.target` says: 70 for `sm_70`. Cards below cannot run it.
  let target: Int
  /// Names of the kernels in it.
  let kernels: [String]

  /// - Parameter text: without a zero at its end, or with one.
  init(name: String, text: some Sequence<CChar>) {
    self.name = name
    var bytes = Array(text)
    if bytes.last != 0 { bytes.append(0) }
    self.text = bytes
    version = PTXFile.version(bytes)
    target =
      PTXFile.words(after: ".target sm_", in: bytes, limit: 1).first
      .flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    kernels = PTXFile.words(after: ".entry ", in: bytes)
  }

  /// The files inside this program.
  static func carried() -> [PTXFile] {
    let files = UnsafeBufferPointer(start: gpu_ptx_files(), count: gpu_ptx_count())
    return files.map { file in
      let text = UnsafeBufferPointer(start: file.text, count: file.byte_count)
      return PTXFile(name: String(cString: file.name), text: text)
    }
  }

  private static func version(_ text: [CChar]) -> (Int, Int) {
    let parts = (words(after: ".version ", in: text, limit: 1).first ?? "").split(separator: ".")
    guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]) else {
      return (0, 0)
    }
    return (major, minor)
  }

  /// What follows each `mark` up to a space, a line break or a parenthesis.
  private static func words(
    after mark: StaticString, in text: [CChar], limit: Int = .max
  ) -> [String] {
    var found: [String] = []
    text.withUnsafeBufferPointer { text in
      guard var place = text.baseAddress else { return }
      let marked = UnsafeRawPointer(mark.utf8Start).assumingMemoryBound(to: CChar.self)
      // Safety: both texts end with a zero, which neither search passes.
      while found.count < limit, let hit = strstr(place, marked) {
        let start = UnsafePointer(hit) + mark.utf8CodeUnitCount
        let length = strcspn(start, " \t\r\n(;,")
        let bytes = UnsafeRawBufferPointer(start: start, count: length)
        found.append(String(decoding: bytes, as: UTF8.self))
        place = start + length
      }
    }
    return found
  }
}
