import Devices

extension Emulation {
  /// Runs a closure with the lock; what the device was lost by is thrown before.
  func locked<R>(_ body: () throws(DeviceError) -> R) throws(DeviceError) -> R {
    monitor.lock()
    defer { monitor.unlock() }
    if let lost { throw lost }
    return try body()
  }

  /// Puts an operation at the end of a stream.
  /// - Returns: whether it did; false for one that is to be left out.
  @discardableResult
  func submit(_ operation: Operation, to lane: Lane) throws(DeviceError) -> Bool {
    try locked { () throws(DeviceError) in
      try check(operation)
      guard !isIgnored(operation, of: lane) else { return false }
      if times != nil { times!.advance(to: times!.now + times!.model.submissionMicroseconds) }
      submitted += 1
      var submission = Lane.Submission(
        operation: operation, number: submitted, time: times?.now ?? 0)
      if case .launch = operation {
        launches += 1
        submission.losesDevice = configuration.failures.contains(.launch(number: launches))
      }
      if operation.isCopy {
        copies += 1
        fail(&submission)
        if configuration.checksMemory, !lane.waitsForWord, case .upload(let source, _) = operation {
          submission.source = [UInt8](
            UnsafeRawBufferPointer(start: source.base, count: source.byteCount))
        }
      }
      lane.append(submission)
      monitor.changed()
      hostCalled()
      return true
    }
  }

  /// What is injected into a copy.
  private func fail(_ submission: inout Lane.Submission) {
    for failure in configuration.failures {
      switch failure {
      case .copy(copies): submission.losesDevice = true
      case .copyDelayed(copies, let microseconds): submission.extraMicroseconds += microseconds
      case .copyHeldBack(copies, let operations): submission.heldBack += operations
      default: break
      }
    }
  }

  func isIgnored(_ operation: Operation, of lane: Lane) -> Bool {
    let index = lane.next(of: operation.kind)
    guard let isIgnored = configuration.ignoredOperations else { return false }
    var kernel: String?
    if case .launch(let launch) = operation { kernel = launch.kernel.name }
    return isIgnored(
      EmulatedOperation(stream: lane.name, kind: operation.kind, index: index, kernel: kernel))
  }

  /// The same for what the host waits for.
  func isIgnored(_ kind: EmulatedOperation.Kind) -> Bool {
    let index = hostCounts[kind, default: 0]
    hostCounts[kind] = index + 1
    return configuration.ignoredOperations?(
      EmulatedOperation(stream: "host", kind: kind, index: index)) ?? false
  }

  /// Lets some work happen within a call of the host, where no thread does it.
  func hostCalled() {
    guard worksInCalls, configuration.precedence == nil else { return }
    var left = Int.max
    if times == nil, choice != nil { left = choice!.operationsOfCall() }
    while left > 0, let lane = nextLane() {
      run(lane)
      left -= 1
    }
  }

  // MARK: - What a driver refuses

  private func check(_ operation: Operation) throws(DeviceError) {
    switch operation {
    case .upload(let source, let target):
      try check(target, source.byteCount, "copy to the device")
    case .staged(let bytes, let target): try check(target, bytes.count, "copy to the device")
    case .download(let source, let target):
      try check(source, target.byteCount, "copy from the device")
    case .copyOnDevice(let source, let target, let byteCount):
      try check(source, byteCount, "copy within the device")
      try check(target, byteCount, "copy within the device")
    case .clear(let target, let byteCount): try check(target, byteCount, "clear")
    case .launch(let launch): try check(launch)
    case .waitForWord, .write:
      guard configuration.waitsForMemory else {
        throw .refused(operation: "wait for a word", reason: "this device cannot")
      }
    case .record, .waitForEvent: break
    }
  }

  private func check(
    _ address: UInt64, _ byteCount: Int, _ operation: String
  ) throws(DeviceError) {
    guard heap.block(of: address, byteCount: byteCount) == nil else { return }
    throw .refused(
      operation: operation,
      reason: "\(byteCount) bytes at \(String(address, radix: 16)) do not lie in an allocation")
  }

  private func check(_ launch: Operation.Launch) throws(DeviceError) {
    let (grid, block) = (launch.grid, launch.block)
    func refuse(_ reason: String) -> DeviceError {
      .refused(operation: "launch of kernel \(launch.kernel.name)", reason: reason)
    }
    // The limits of every NVIDIA device of compute capability 5.0 on.
    guard grid.x >= 1, grid.y >= 1, grid.z >= 1, grid.x < 1 << 31, grid.y < 1 << 16,
      grid.z < 1 << 16
    else { throw refuse("a grid of \(grid.x) x \(grid.y) x \(grid.z) blocks") }
    guard block.x >= 1, block.y >= 1, block.z >= 1, block.z <= 64,
      block.x * block.y * block.z <= 1024
    else { throw refuse("a block of \(block.x) x \(block.y) x \(block.z) threads") }
    guard launch.sharedByteCount >= 0, launch.sharedByteCount <= 48 << 10 else {
      throw refuse("\(launch.sharedByteCount) bytes of shared memory; 49152 is the most")
    }
  }
}
