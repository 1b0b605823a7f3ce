import ArgumentParser

/// What a user wants to compute besides the CPU.
enum DeviceChoice: Equatable {
  /// The first NVIDIA GPU where there is one and it helps, else the CPU alone.
  case automatic
  case cpu
  /// An NVIDIA GPU by its number.
  case cuda(Int)
  /// A GPU whose part this processor computes, with modelled times.
  case emulated
}

extension DeviceChoice: ExpressibleByArgument {
  init?(argument: String) {
    switch argument {
    case "auto": self = .automatic
    case "cpu": self = .cpu
    case "cuda": self = .cuda(0)
    case "emulated": self = .emulated
    default:
      guard let match = argument.wholeMatch(of: /cuda:(\d{1,3})/), let number = Int(match.1) else {
        return nil
      }
      self = .cuda(number)
    }
  }

  static let allValueStrings = ["auto", "cpu", "cuda:N", "emulated"]

  var defaultValueDescription: String {
    switch self {
    case .automatic: "auto"
    case .cpu: "cpu"
    case .cuda(let number): "cuda:\(number)"
    case .emulated: "emulated"
    }
  }
}
