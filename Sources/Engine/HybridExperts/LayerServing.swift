import CPUCompute
import Devices
import Experts
import Models

/// The host's part of the MoE layers of a step that was submitted to a device: for each layer it reads the
/// routing, asks for a plan and performs it on CPU, GPU and link.
public protocol LayerServing: AnyObject {
  var exchange: LayerExchange { get }
  /// Whether anything is decided by what the routers of later layers say.
  var wantsPredictions: Bool { get }
  /// A step begins; its MoE layers follow in order.
  /// - Throws: `DeviceError`.
  func beginStep(tokenCount: Int, phase: Phase, position: Int) throws
  /// Serves one MoE layer: returns when its plan is performed or on its way, `cpuDone` written, and `gpuDone` submitted.
  /// - Parameters:
  ///   - layer: the layer's number in the file.
  ///   - sequence: what `routed` becomes when the device has routed it, and what `cpuDone` and `gpuDone` must become.
  /// - Throws: `DeviceError`, `HostMemoryError`; then `abandon` must follow.
  func serve(layer: Int, sequence: UInt32, observer: (any StepObserver)?) throws
  /// Ends the step; what the device computed is valid when its stream is synchronised.
  func endStep() throws
  /// Gives up the step: releases whatever waits for layers up to `sequence` and forgets what was planned.
  /// What streams have still to write must not set a word back behind that.
  func abandon(through sequence: UInt32)
  /// The stream of the dense part is here now; for whoever measures the lanes.
  /// - Throws: `DeviceError`.
  func note(_ point: StepPoint, on stream: any DeviceStream) throws(DeviceError)
  /// The GPU lane's last event of the layer just served, for devices whose streams cannot wait for memory.
  var lastGPUEvent: (any DeviceEvent)? { get }
}
