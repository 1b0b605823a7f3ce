import Glibc
import Synchronization

/// The mode of the terminal on standard input while a chat goes on, and the promise that it is as
/// before when the program ends or stops, however it does.
///
/// Only `kill -9` leaves it changed; shells repair it then.
enum TerminalMode {
  enum Kind: Int {
    case original
    /// Nothing that is typed shows, and it waits for the next prompt; Ctrl-C and Ctrl-Z are signals.
    case quiet
    /// Every key is bytes to read.
    case keys
  }

  // Safety: the atomics are of trivial types. `before` is written once, before the handlers are
  // installed that read it; `begin` touches all of them, so that no handler runs their
  // initialisation.
  private static let wanted = Atomic<Int>(Kind.original.rawValue)
  private static let isPrepared = Atomic<Bool>(false)
  private static let isResized = Atomic<Bool>(false)
  private static let isResumed = Atomic<Bool>(false)
  nonisolated(unsafe) private static var before = termios()
  /// What a signal did before, by its number.
  nonisolated(unsafe) private static let former = UnsafeMutablePointer<sigaction>.allocate(
    capacity: 65)

  /// Whether the editor can be used: a person at a terminal that understands sequences.
  static var isPossible: Bool {
    let kind = Environment.value("TERM") ?? "dumb"
    var mode = termios()
    return kind != "dumb" && !kind.isEmpty && tcgetattr(0, &mode) == 0
      && OutputStream.standardError.isTerminal
  }

  /// Makes the terminal quiet until `end`; signals and exits restore it.
  static func begin() {
    guard wanted.load(ordering: .sequentiallyConsistent) == Kind.original.rawValue,
      tcgetattr(0, &before) == 0
    else { return }
    defer { change(to: .quiet) }
    guard !isPrepared.exchange(true, ordering: .sequentiallyConsistent) else { return }
    isResized.store(false, ordering: .sequentiallyConsistent)
    isResumed.store(false, ordering: .sequentiallyConsistent)
    installHandlers()
    atexit { TerminalMode.end() }
  }

  static func change(to kind: Kind) {
    wanted.store(kind.rawValue, ordering: .sequentiallyConsistent)
    apply(kind)
  }

  /// Restores the terminal; only what signal handlers may do.
  static func end() {
    let kind = wanted.exchange(Kind.original.rawValue, ordering: .sequentiallyConsistent)
    if kind != Kind.original.rawValue { apply(.original) }
  }

  /// Whether the size has changed since the last call.
  static func takeResize() -> Bool { isResized.exchange(false, ordering: .sequentiallyConsistent) }

  /// Whether the program was stopped and goes on since the last call.
  static func takeResumption() -> Bool {
    isResumed.exchange(false, ordering: .sequentiallyConsistent)
  }

  /// Stops the program, with all of its pipeline, as Ctrl-Z does.
  static func suspend() { kill(0, SIGTSTP) }

  // MARK: How

  private static func apply(_ kind: Kind) {
    var mode = before
    if kind != .original {
      mode.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | IXON | ISTRIP)
      mode.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN)
      // What was typed ahead stays when an answer is stopped.
      mode.c_lflag |= tcflag_t(NOFLSH)
      if kind == .keys { mode.c_lflag &= ~tcflag_t(ISIG) }
      withUnsafeMutableBytes(of: &mode.c_cc) { characters in
        characters[Int(VMIN)] = 1
        characters[Int(VTIME)] = 0
      }
    }
    // Bracketed paste: the terminal marks where a pasted text begins and ends.
    let paste: StaticString = kind == .original ? "\u{1B}[?2004l" : "\u{1B}[?2004h"
    if kind != .keys { _ = write(2, paste.utf8Start, paste.utf8CodeUnitCount) }
    while tcsetattr(0, TCSANOW, &mode) != 0, errno == EINTR {}
  }

  private static func installHandlers() {
    // Ends of the program, errors of its own among them.
    for signal in [SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV] {
      install(signal, flags: 0) { signal in
        TerminalMode.end()
        // What the signal did before, such as ending the process or the runtime's report of where
        // it failed; it is blocked here and comes as soon as this returns.
        sigaction(signal, TerminalMode.former + Int(signal), nil)
        raise(signal)
      }
    }
    install(SIGWINCH, flags: SA_RESTART) { _ in
      TerminalMode.isResized.store(true, ordering: .sequentiallyConsistent)
    }
    install(SIGCONT, flags: SA_RESTART) { _ in TerminalMode.resume() }
    install(SIGTSTP, flags: SA_RESTART, handler: stop)
  }

  // Safety: the handlers call only functions that handlers may call, and touch only what `begin` has
  // initialised.
  private static func install(
    _ signal: Int32, flags: Int32, handler: @convention(c) (Int32) -> Void
  ) {
    let present = former + Int(signal)
    sigaction(signal, nil, present)
    let address = unsafeBitCast(present.pointee.__sigaction_handler.sa_handler, to: Int.self)
    // What whoever started the program ignores, stays ignored.
    guard address != unsafeBitCast(SIG_IGN, to: Int.self) else { return }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = flags
    sigaction(signal, &action, nil)
  }

  private static let stop: @convention(c) (Int32) -> Void = { signal in
    TerminalMode.apply(.original)
    var usual = sigaction()
    var present = sigaction()
    sigaction(signal, &usual, &present)
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, signal)
    raise(signal)
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    // The process stands here until it is told to go on.
    pthread_sigmask(SIG_BLOCK, &mask, nil)
    sigaction(signal, &present, nil)
    TerminalMode.resume()
  }

  private static func resume() {
    guard let kind = Kind(rawValue: wanted.load(ordering: .sequentiallyConsistent)),
      kind != .original
    else { return }
    if kind == .keys { apply(.quiet) }
    apply(kind)
    isResumed.store(true, ordering: .sequentiallyConsistent)
  }
}
