import Devices
import Synchronization

/// Words of memory through which host and streams tell each other how far they are.
enum Words {
  /// Safety: an atomic word has the layout of a plain one; `word` is 4-aligned and lives.
  private static func atomic(_ address: UnsafeMutablePointer<UInt32>) -> UnsafeMutablePointer<
    Atomic<UInt32>
  > {
    UnsafeMutableRawPointer(address).assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  static func load(_ word: PinnedWord) -> UInt32 { load(word.base) }
  static func load(_ address: UnsafeMutablePointer<UInt32>) -> UInt32 {
    atomic(address).pointee.load(ordering: .acquiring)
  }

  static func store(_ value: UInt32, to word: PinnedWord) {
    atomic(word.base).pointee.store(value, ordering: .releasing)
  }

  /// Whether a sequence number has come as far as another, which may have wrapped.
  static func has(_ current: UInt32, reached value: UInt32) -> Bool {
    Int32(bitPattern: current &- value) >= 0
  }
}

/// When words got their values, by the modelled clock.
struct WordTimes {
  /// Who looks at a word: each side sees its own writings at once.
  enum Side { case host, streams }

  private struct Writing {
    var value: UInt32
    var streams: Double
    var host: Double
  }
  private var writings: [UInt64: [Writing]] = [:]
  /// A waiter asks for one of the last values.
  private static let most = 64

  /// - Parameters:
  ///   - streams: when the device's streams see it.
  ///   - host: when the host does.
  mutating func wrote(_ value: UInt32, to address: UInt64, streams: Double, host: Double) {
    var all = writings[address, default: []]
    let at = all.lastIndex { $0.streams <= streams }.map { $0 + 1 } ?? 0
    all.insert(Writing(value: value, streams: streams, host: host), at: at)
    if all.count > WordTimes.most { all.removeFirst() }
    writings[address] = all
  }

  /// When a side first saw a word be at least `value`; nil where it is not yet. What nobody was seen to write
  /// was there from the beginning.
  func time(of word: PinnedWord, atLeast value: UInt32, for side: Side) -> Double? {
    guard let all = writings[word.deviceAddress] else {
      return Words.has(Words.load(word), reached: value) ? 0 : nil
    }
    return all.first { Words.has($0.value, reached: value) }.map {
      side == .host ? $0.host : $0.streams
    }
  }
}
