/// Which element type each matrix of a model gets, and so how many bytes it takes.
///
/// The rules of the quantisations that people download, derived from llama.cpp's `llama-quant.cpp`
/// (commit 0c1e57098): `Q4_K_M` keeps most matrices in Q4_K and some in Q6_K. Where a row is no whole
/// number of 256-element blocks, Q4_K becomes Q5_0 and Q6_K becomes Q8_0.
enum QuantizationRule: String, CaseIterable {
  case q4KM = "Q4_K_M"
  case mxfp4 = "MXFP4"
  case q8 = "Q8_0"
  case f16 = "F16"

  /// What a matrix is for, as far as the rules make a difference.
  enum Role {
    case expert, expertDown, attention, attentionValue, other, otherDown, embedding, output
  }

  /// The element type that most of an expert's weights have: the key of the CPU's costs.
  var expertElementType: String {
    switch self {
    case .q4KM: "Q4_K"
    case .mxfp4: "MXFP4"
    case .q8: "Q8_0"
    case .f16: "F16"
    }
  }

  /// Bytes of a matrix of `rows` × `columns` weights in layer `layer` of `layers`.
  func bytes(_ role: Role, rows: Int, columns: Int, layer: Int = 0, layers: Int = 1) -> Int {
    let type = type(role, columns: columns, layer: layer, layers: layers)
    let blocks = (columns + type.elements - 1) / type.elements
    return rows * blocks * type.bytes
  }

  /// The element type of a matrix, by the name that GGUF gives it.
  func elementType(
    _ role: Role, columns: Int, layer: Int = 0, layers: Int = 1
  ) -> String {
    type(role, columns: columns, layer: layer, layers: layers).name
  }

  private typealias Block = (name: String, elements: Int, bytes: Int)

  private static let q8Block: Block = ("Q8_0", 32, 34)

  private func type(_ role: Role, columns: Int, layer: Int, layers: Int) -> Block {
    switch self {
    case .f16: return ("F16", 1, 2)
    case .q8: return Self.q8Block
    case .mxfp4:
      // Published gpt-oss files quantise the experts only; the rest is kept at eight bits.
      return role == .expert || role == .expertDown ? ("MXFP4", 32, 17) : Self.q8Block
    case .q4KM:
      let isLarge: Bool
      switch role {
      case .expertDown, .otherDown, .attentionValue:
        isLarge = Self.usesMoreBits(layer: layer, layers: layers)
      case .output: isLarge = true
      case .expert, .attention, .other, .embedding: isLarge = false
      }
      if columns.isMultiple(of: 256) {
        return isLarge ? ("Q6_K", 256, 210) : ("Q4_K", 256, 144)
      }
      return isLarge ? Self.q8Block : ("Q5_0", 32, 22)
    }
  }

  /// The first and the last eighth of the layers, and every third between, get more bits.
  static func usesMoreBits(layer: Int, layers: Int) -> Bool {
    layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
  }
}
