import Tensors

/// A native block of weights as the integers and scales that products multiply.
///
/// Its weight `i` is `scale · subScales[i / n] · weights[i]`, with `n` numbers in a sub-block, less the
/// sub-block's minimum or plus the block's offset where the type has them: what
/// `ReferenceQuantization` gives, but for roundings.
public struct IntegerBlock: Sendable {
  /// What is added to all weights of a sub-block or block, scaled like the weights.
  public enum Offset: Sendable, Equatable {
    case none
    /// `−scale · minimums[j]` in sub-block `j` (Q2_K, Q4_K, Q5_K).
    case minimums(scale: Float, [Int32])
    /// One number for all of the block (Q4_1, Q5_1).
    case constant(Float)
  }

  /// The block's `d`; for MXFP4 half of its power of two, because its table is doubled.
  public let scale: Float
  /// 256 or 32 integers.
  public let weights: [Int32]
  /// One integer per sub-block of equal length; `[1]` for the types with blocks of 32.
  public let subScales: [Int32]
  public let offset: Offset

  /// The numbers that share a scale in the activations that a type is multiplied with, or nil for
  /// F32, F16 and BF16, whose activations stay F32.
  public static func activationWidth(of type: ElementType) -> Int? {
    type.elementsPerBlock > 1 ? type.elementsPerBlock : nil
  }

  /// The integers of one native block.
  ///
  /// - Parameters:
  ///   - block: `type.bytesPerBlock` bytes.
  ///   - type: a readable type with blocks.
  public init(_ block: Span<UInt8>, type: ElementType) {
    precondition(type.isReadable && type.elementsPerBlock > 1, "\(type.name) has no integers")
    precondition(block.count == type.bytesPerBlock)
    switch type {
    case .q2_K: self = Self.q2_K(block)
    case .q3_K: self = Self.q3_K(block)
    case .q4_K: self = Self.q4_K(block)
    case .q5_K: self = Self.q5_K(block)
    case .q6_K: self = Self.q6_K(block)
    case .iq4_xs: self = Self.iq4_xs(block)
    default: self = Self.block32(block, type)
    }
  }

  init(scale: Float, weights: [Int32], subScales: [Int32] = [1], offset: Offset = .none) {
    self.scale = scale
    self.weights = weights
    self.subScales = subScales
    self.offset = offset
  }
}
