import Devices
import Glibc
import HostMemory
import Synchronization

/// Copies of pageable memory, for which the driver needs a thread of the host all the time.
// Safety: `error` is written by the thread that runs and read when it has ended.
final class PageableCopies: @unchecked Sendable {
  private let stream: any DeviceStream
  private let source: AlignedBuffer
  private let target: DeviceMemory
  private let pieceByteCount: Int
  private let pieceCount: Int
  private let end: any DeviceEvent
  private let done = Atomic(false)
  private(set) var error: DeviceError?

  /// - Parameter end: recorded behind the last piece.
  init(
    stream: any DeviceStream, source: AlignedBuffer, target: DeviceMemory, pieceByteCount: Int,
    pieceCount: Int, end: any DeviceEvent
  ) {
    self.stream = stream
    self.source = source
    self.target = target
    self.pieceByteCount = pieceByteCount
    self.pieceCount = pieceCount
    self.end = end
  }

  var isDone: Bool { done.load(ordering: .acquiring) }

  /// Copies all, in this thread.
  func run() {
    do throws(DeviceError) {
      let pieces = target.byteCount / pieceByteCount
      for piece in 0..<pieceCount {
        let offset = piece % pieces * pieceByteCount
        try stream.copyPageable(
          from: UnsafeRawBufferPointer(start: source.base + offset, count: pieceByteCount),
          to: target.address + UInt64(offset))
      }
      try stream.record(end)
    } catch {
      self.error = error
    }
    done.store(true, ordering: .releasing)
  }

  /// A thread that copies.
  struct Running {
    fileprivate let thread: pthread_t

    /// Returns when it has ended. To be called once.
    func join() { pthread_join(thread, nil) }
  }

  /// Copies all, in a thread of its own.
  /// - Throws: `HostMemoryError.cannotStartThread`.
  func runBeside() throws(HostMemoryError) -> Running {
    var thread = pthread_t()
    let held = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { raw in
        raw.map { Unmanaged<PageableCopies>.fromOpaque($0).takeRetainedValue().run() }
        return nil
      }, held.toOpaque())
    guard code == 0 else {
      held.release()
      throw .cannotStartThread(reason: String(cString: strerror(code)))
    }
    return Running(thread: thread)
  }
}
