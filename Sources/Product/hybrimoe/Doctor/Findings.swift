import Devices
import HostMemory

/// What `doctor` found out: what the machine says of itself, and what was measured. What follows from it is
/// decided by `Diagnosis`, so that machines can be described that nobody has at hand.
struct Findings: Equatable {
  var survey = SystemSurvey()
  var processor = ""
  var features: [String] = []
  /// The instruction set that the kernels use, and those that they could.
  var instructionSet = ""
  var instructionSets: [String] = []
  /// Nil where it could not be measured, for `hostFailure`.
  var host: HostSpeeds?
  var hostFailure: String?
  var folders: [FolderFinding] = []
  /// Whether devices were looked for.
  var looksForDevices = true
  /// What `CUDA_VISIBLE_DEVICES` says.
  var visibleDevices: String?
  var devices: [DeviceFinding] = []
  /// Why there are none.
  var driverFailure: DeviceError?
}

/// What the processor and its memory do at most, with the threads that a model would have.
struct HostSpeeds: Equatable {
  var threadCount: Int
  var readGBps: Double
  var int8GOPS: Double?
  var floatGOPS: Double
}

/// A folder in which the program keeps what it can make again.
struct FolderFinding: Equatable {
  var purpose: String
  /// Nil where the environment names no place.
  var path: String?
  var isWritable: Bool
}

/// A device and what was measured on it.
struct DeviceFinding: Equatable {
  /// As in `cuda:0`.
  var name: String
  var properties: DeviceProperties
  var freeByteCount: Int?
  var speeds: DeviceSpeeds?
  /// Why it could not be opened or measured.
  var failure: DeviceError?
}

struct DeviceSpeeds: Equatable {
  /// Seconds until all kernels were on the device.
  var kernelSeconds: Double
  /// Nil where memory could not be pinned, for `pinningFailure`.
  var pinned: LinkFigures?
  var pinningFailure: String?
  var pageable: LinkFigures
  /// Of a small kernel: what submitting one costs the host, and each of many the device.
  var submitMicroseconds: Double
  var launchMicroseconds: Double
  var handshakeMicroseconds: Double
}

/// Copies to a device, in 10⁹ bytes a second.
struct LinkFigures: Equatable {
  var aloneGBps: Double
  /// While all threads read memory.
  var besideReadingGBps: Double
  /// What these threads read meanwhile.
  var readGBps: Double
}
