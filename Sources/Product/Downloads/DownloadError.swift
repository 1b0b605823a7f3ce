/// Why nothing could be downloaded; the message says what to do.
public enum DownloadError: Error, Equatable, CustomStringConvertible {
  /// The hub's address is none that can be used.
  case wrongAddress(String)
  /// The hub answered with a status that waiting does not change.
  case refused(status: Int, what: String, hub: String, hasToken: Bool, detail: String?)
  /// The hub asks to wait longer than a program should.
  case tooBusy(what: String, seconds: Int)
  /// Attempts in a row brought nothing.
  case gaveUp(what: String, attempts: Int, reason: String)
  /// The hub's answer is not what it is documented to be.
  case strangeAnswer(what: String, detail: String)
  /// A name that would lie outside the folder or cannot be shown.
  case unsafeName(repository: String)
  /// The file that the server sends is not as long as the list says.
  case wrongLength(file: String, expected: Int, found: Int)
  /// What came is not what the list describes; it has been thrown away.
  case wrongChecksum(file: String, expected: String, found: String)
  /// The server has another content at each attempt.
  case keepsChanging(file: String)
  /// Redirections without an end, or to where this program does not go.
  case wrongRedirection(what: String, detail: String)
  /// Another process is downloading the same file.
  case busyElsewhere(path: String)
  /// The file system refuses.
  case file(path: String, action: String, reason: String)
  /// The disk has too little room; nothing was downloaded.
  case noRoom(folder: String, needed: Int, free: Int)

  public var description: String {
    switch self {
    case .wrongAddress(let text):
      "'\(text)' is no address of a hub; it must be like https://huggingface.co."
    case .refused(let status, let what, let hub, let hasToken, let detail):
      Self.refusal(status, what, hub, hasToken: hasToken) + (detail.map { " (\($0))" } ?? "")
    case .tooBusy(let what, let seconds):
      "\(what): the hub asks to wait \(seconds) s; try again then. With a token in HF_TOKEN it allows "
        + "more requests."
    case .gaveUp(let what, let attempts, let reason):
      "\(what): \(attempts) attempts in a row brought nothing, the last one: \(reason). Check the "
        + "network; what is there is kept, and the same command goes on from it."
    case .strangeAnswer(let what, let detail):
      "\(what): the hub's answer cannot be understood (\(detail)). Is --hub-url the address of a hub?"
    case .unsafeName(let repository):
      "\(repository) lists a GGUF file whose name would lie outside its folder or holds control "
        + "characters; nothing was downloaded."
    case .wrongLength(let file, let expected, let found):
      "\(file): the list says \(expected) bytes, but the server sends \(found). The file is being "
        + "changed, or something between here and the hub is; try again later."
    case .wrongChecksum(let file, let expected, let found):
      "\(file): the SHA-256 of what came is \(found), but must be \(expected). It has been thrown away. "
        + "Run the same command again; if it says the same, the hub or the network damages the file."
    case .keepsChanging(let file):
      "\(file): the server sent another content at each attempt; try again later."
    case .wrongRedirection(let what, let detail):
      "\(what): the hub sends us \(detail)."
    case .busyElsewhere(let path):
      "'\(path)' is being downloaded by another process; wait for it, or end it."
    case .file(let path, let action, let reason):
      "Cannot \(action) '\(path)': \(reason)."
    case .noRoom(let folder, let needed, let free):
      "There is too little room in '\(folder)': \(needed) bytes are needed, \(free) are free."
    }
  }

  private static func refusal(
    _ status: Int, _ what: String, _ hub: String, hasToken: Bool
  ) -> String {
    switch status {
    case 401 where hasToken:
      "\(what): there is no such repository, or the token in HF_TOKEN does not open it."
    case 401:
      "\(what): there is no such repository, or it is private. Check the spelling; for a private one "
        + "set HF_TOKEN to a token of \(hub)/settings/tokens."
    case 403:
      "\(what): access is restricted. Accept the conditions on \(hub)/\(what), and set HF_TOKEN to a "
        + "token of \(hub)/settings/tokens."
    case 404:
      "\(what): not found on \(hub). Check the spelling."
    default:
      "\(what): the hub answers with status \(status)."
    }
  }
}
