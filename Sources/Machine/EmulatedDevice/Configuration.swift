extension EmulatedDevice {
  /// What an emulated device is like.
  public struct Configuration: Sendable {
    /// What messages call it.
    public var name = "emulated device"
    /// Bytes of device memory.
    public var memoryByteCount: Int
    /// Bytes of host memory that can be pinned.
    public var pinnedByteCount: Int
    /// Draws a legal order of the streams' work and of the threads in kernels; nil: streams progress in
    /// the order of submission, threads in theirs.
    public var seed: UInt64?
    /// Names of streams. Nothing runs but while the host waits, and then always the first of these streams that
    /// can go on, so that a test decides who is late; streams without a name here come last. nil: see `seed`.
    public var precedence: [String]?
    /// Which clock it has.
    public var timing: EmulatedTiming
    /// Threads that work beside the host. 0: work happens within the host's calls, so that a seed gives
    /// the same order every time. nil: 1, and 0 where there is a seed or a precedence.
    public var threadCount: Int?
    /// Whether its streams can wait for words of memory, as not all drivers' can.
    public var waitsForMemory: Bool
    /// Queues that streams share, in turn: one that waits holds up all that came later to its queue. nil:
    /// each stream has its own.
    public var queueCount: Int?
    /// What goes wrong.
    public var failures: [EmulatedFailure]
    /// Operations that are left out: what a program does without them is what a test wants to know.
    public var ignoredOperations: (@Sendable (EmulatedOperation) -> Bool)?
    /// Threads of the host that may call: the device is stuck when all of them wait for it and it cannot
    /// go on, or when one of them has waited so for `patienceSeconds` while the others did nothing.
    public var hostThreadCount = 1
    /// Seconds of real time.
    public var patienceSeconds = 20
    /// Fills fresh and freed memory with ones and looks for writes beyond an allocation's ends, for sources of
    /// copies that change before the copy has run (but where their streams stand before a word, behind which the
    /// host may fill them), and for pinned memory that is given back too early. It costs passes over every
    /// allocation and every copy.
    public var checksMemory = true

    /// Whether a test decides the order.
    var isOrdered: Bool { seed != nil || precedence != nil }

    /// A device without failures, of 1 GiB, in real time, where nothing else is said.
    public init(
      memoryByteCount: Int = 1 << 30, pinnedByteCount: Int = .max, seed: UInt64? = nil,
      timing: EmulatedTiming = .none, threadCount: Int? = nil, waitsForMemory: Bool = true,
      failures: [EmulatedFailure] = [],
      ignoredOperations: (@Sendable (EmulatedOperation) -> Bool)? = nil
    ) {
      self.memoryByteCount = memoryByteCount
      self.pinnedByteCount = pinnedByteCount
      self.seed = seed
      self.timing = timing
      self.threadCount = threadCount
      self.waitsForMemory = waitsForMemory
      self.failures = failures
      self.ignoredOperations = ignoredOperations
    }
  }
}

/// What an emulated device does to a program. Numbers count from 1.
public enum EmulatedFailure: Sendable, Equatable {
  /// This allocation of device memory fails.
  case allocation(number: Int)
  /// Device memory ends earlier than the device says.
  case allocationsBeyond(byteCount: Int)
  /// The device is lost when this launch runs.
  case launch(number: Int)
  /// The device is lost when this copy runs.
  case copy(number: Int)
  /// The system pins no more than so much.
  case pinningBeyond(byteCount: Int)
  /// This copy takes longer, by the device's clock.
  case copyDelayed(number: Int, microseconds: Double)
  /// This copy waits until so many other operations have run, or nothing else can.
  case copyHeldBack(number: Int, operations: Int)
}

/// An operation as a program submits it.
public struct EmulatedOperation: Sendable, Equatable, CustomStringConvertible {
  /// What it does.
  public enum Kind: String, Sendable, CaseIterable {
    case upload, download, copyOnDevice, clear, launch, record, waitForEvent, waitForWord, write
    /// What the host itself waits for; of the stream "host".
    case hostWaitForEvent, hostWaitForWord, hostSynchronize
  }
  /// The stream's name.
  public var stream: String
  /// What it does.
  public var kind: Kind
  /// The how-manieth of its kind in its stream, from 0.
  public var index: Int
  /// A kernel's name.
  public var kernel: String?

  /// One to compare with.
  public init(stream: String, kind: Kind, index: Int, kernel: String? = nil) {
    self.stream = stream
    self.kind = kind
    self.index = index
    self.kernel = kernel
  }

  /// As a list of operations names it.
  public var description: String {
    "\(kind.rawValue) \(index)\(kernel.map { " (\($0))" } ?? "") of stream \(stream)"
  }
}
