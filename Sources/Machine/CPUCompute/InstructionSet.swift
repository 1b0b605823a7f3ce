import CKernels

/// The instruction sets that the kernels are compiled for. All of them give the same bits.
public enum InstructionSet: String, CaseIterable, Sendable {
  case portable
  case avx2
  case avxvnni
  case avx512
  case avx512vnni

  /// Whether this processor has it.
  public var isAvailable: Bool { kernels != nil }

  /// The fastest one that this processor has.
  public static let best: InstructionSet =
    allCases.last { $0.isAvailable } ?? .portable

  /// The kernels compiled for it, or nil where this processor does not have it.
  var kernels: ck_kernels? {
    let number =
      switch self {
      case .portable: CK_ISA_PORTABLE
      case .avx2: CK_ISA_AVX2
      case .avxvnni: CK_ISA_AVXVNNI
      case .avx512: CK_ISA_AVX512
      case .avx512vnni: CK_ISA_AVX512VNNI
      }
    return ck_kernels_for(Int32(number))?.pointee
  }
}
