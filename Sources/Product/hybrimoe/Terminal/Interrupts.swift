import Glibc
import Synchronization

/// How Ctrl-C reaches the program.
///
/// At first an interrupt ends the process with exit code 130, as a user expects while a model is
/// loading. Once `deferToPolling` has been called, the first interrupt is only noted, so that an
/// answer can end cleanly, and a second one that comes before the first was taken ends the process.
enum Interrupts {
  /// The exit code of a command that was interrupted: 128 + SIGINT, as shells report it.
  static let exitCode: Int32 = 130

  // Safety: both are atomics of a trivial type; `install` touches them before the handler can run,
  // so that the handler never runs their first-use initialisation.
  private static let isPolled = Atomic<Bool>(false)
  private static let isPending = Atomic<Bool>(false)

  /// Sets the handler; `read` and `write` return early when it has run.
  static func install() {
    isPolled.store(false, ordering: .sequentiallyConsistent)
    isPending.store(false, ordering: .sequentiallyConsistent)
    TerminalMode.end()
    var action = sigaction()
    // Safety: the handler uses only atomics, `_exit` and what restores the terminal, which signal
    // handlers may call.
    action.__sigaction_handler.sa_handler = { _ in
      let polled = Interrupts.isPolled.load(ordering: .sequentiallyConsistent)
      let wasPending = Interrupts.isPending.exchange(true, ordering: .sequentiallyConsistent)
      guard !polled || wasPending else { return }
      TerminalMode.end()
      _exit(Interrupts.exitCode)
    }
    sigaction(SIGINT, &action, nil)
    // Whoever started the program may have blocked the signal, and a new process inherits that.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// From now on the first interrupt waits for `take`.
  static func deferToPolling() {
    isPolled.store(true, ordering: .sequentiallyConsistent)
  }

  /// Whether an interrupt is waiting.
  static var isWaiting: Bool { isPending.load(ordering: .sequentiallyConsistent) }

  /// Takes the waiting interrupt, if there is one.
  static func take() -> Bool { isPending.exchange(false, ordering: .sequentiallyConsistent) }
}
