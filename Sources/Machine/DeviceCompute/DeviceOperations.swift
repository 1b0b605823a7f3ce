import CGPUKernels
import Devices

/// Launches of all kernels, typed: what each takes, in which grid it runs.
///
/// Nothing is computed when a call returns: it is submitted to the stream. Memory that a launch names must
/// stay until the stream has passed it. What a kernel computes and how its blocks share it is said in
/// `gpu_arguments.h` and at the top of its source.
// Safety: immutable after `init`.
public final class DeviceOperations: Sendable {
  /// Every kernel there is.
  enum Kernel: Int, CaseIterable {
    case attention, attentionMerge, combine, copyColumns, down, expandKeys, foresee, gated, loadRows
    case product, productTransposed, publish, quantize, rmsNorm, rotate, route, storeRows, weigh

    /// What the device knows it by.
    var name: String {
      switch self {
      case .attention: "attention"
      case .attentionMerge: "attention_merge"
      case .combine: "combine"
      case .copyColumns: "copy_columns"
      case .down: "down"
      case .expandKeys: "expand_keys"
      case .foresee: "foresee"
      case .gated: "gated"
      case .loadRows: "load_rows"
      case .product: "product"
      case .productTransposed: "product_transposed"
      case .publish: "publish"
      case .quantize: "quantize"
      case .rmsNorm: "rms_norm"
      case .rotate: "rotate"
      case .route: "route"
      case .storeRows: "store_rows"
      case .weigh: "weigh"
      }
    }
  }

  /// By the kernels' numbers.
  private let kernels: [DeviceKernel]

  /// Looks up every kernel, so that a missing one shows before anything runs.
  /// - Throws: `DeviceError.noKernel`.
  public init(_ device: any Device) throws(DeviceError) {
    kernels = try Kernel.allCases.map { kernel throws(DeviceError) in
      try device.kernel(kernel.name)
    }
  }

  /// - Throws: what the stream throws.
  func launch<Arguments>(
    _ kernel: Kernel, grid: LaunchSize, block: Int, sharedByteCount: Int = 0,
    _ arguments: Arguments, on stream: any DeviceStream
  ) throws(DeviceError) {
    guard grid.x > 0, grid.y > 0, grid.z > 0 else { return }
    var failure: DeviceError?
    withUnsafeBytes(of: arguments) { bytes in
      do throws(DeviceError) {
        try stream.launch(
          kernels[kernel.rawValue], grid: grid, block: LaunchSize(block),
          sharedByteCount: sharedByteCount,
          arguments: bytes)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}

/// The kernels' unsigned numbers. What does not fit was never a shape of a model.
func u32(_ number: Int) -> gpu_u32 { gpu_u32(number) }

/// So many parts of `size` cover `count`.
func parts(_ count: Int, of size: Int) -> Int { (count + size - 1) / size }
