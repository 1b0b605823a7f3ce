/// What happens during downloads, for whoever shows it.
public enum DownloadEvent: Sendable, Equatable {
  /// A file is begun, with the bytes of it that are there already.
  case began(RemoteFile, present: Int)
  /// What is there is read again for its checksum; the bytes read so far, and all that are there.
  case checking(Int, of: Int)
  /// Bytes of the current file that are there by now.
  case received(Int)
  /// An attempt ended early; the next one begins after a wait.
  case interrupted(reason: String, waitSeconds: Double)
  /// What is there is of no use and is loaded again from the start.
  case restarted(reason: String)
  /// A file is there whole, its checksum right.
  case finished(RemoteFile, path: String, wasThere: Bool)
}

/// How often and when a failed attempt is made again.
public struct Patience: Sendable {
  /// Attempts in a row that may bring nothing.
  public var fruitlessAttempts = 6
  /// The same for lists, which come first: somebody without a network need not wait long.
  public var fruitlessLists = 4
  /// The longest wait that a server may ask for, in seconds.
  public var longestWaitSeconds = 300
  /// Waits; a test's own does not.
  public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  public init() {}

  /// Waits before the next attempt: 1, 2, 4, … at most 30 seconds, or as long as the server asks for.
  ///
  /// - Parameters:
  ///   - failures: attempts in a row that brought nothing, this one included; 0 where this one brought
  ///     something.
  ///   - limit: how many of them are enough.
  /// - Throws: `DownloadError` where it is enough.
  func wait(
    after interruption: Interruption, failures: Int, of limit: Int, what: String,
    tell: @Sendable (DownloadEvent) -> Void
  ) async throws {
    guard failures < limit else {
      throw DownloadError.gaveUp(what: what, attempts: failures, reason: interruption.reason)
    }
    if let seconds = interruption.retryAfterSeconds, seconds > longestWaitSeconds {
      throw DownloadError.tooBusy(what: what, seconds: seconds)
    }
    let usual = min(30, 1 << min(5, max(0, failures - 1)))
    let seconds = interruption.retryAfterSeconds ?? usual
    tell(.interrupted(reason: interruption.reason, waitSeconds: Double(seconds)))
    try await sleep(.seconds(seconds))
  }

  /// Makes attempts to get a list until one succeeds.
  func insist<Value>(
    what: String, tell: @Sendable (DownloadEvent) -> Void,
    _ attempt: () async throws -> Value
  ) async throws -> Value {
    var failures = 0
    while true {
      do {
        return try await attempt()
      } catch let interruption as Interruption {
        failures += 1
        try await wait(
          after: interruption, failures: failures, of: fruitlessLists, what: what, tell: tell)
      }
    }
  }
}
