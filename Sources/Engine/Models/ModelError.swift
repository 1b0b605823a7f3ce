/// Why a file's model cannot be run, said before any weight is read.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  /// The architecture is none of ours.
  case unsupportedArchitecture(path: String, found: String, known: [String])
  /// A tensor that the architecture needs is not there.
  case missingTensor(path: String, name: String, purpose: String)
  /// Tensors that the architecture's implementation does not know: running without them would be wrong.
  case unknownTensors(path: String, architecture: String, names: [String])
  /// A tensor's shape is not what the metadata says.
  case wrongShape(path: String, tensor: String, expected: [Int], found: [Int])
  /// A tensor's element type cannot be computed with.
  case unsupportedElementType(path: String, tensor: String, found: String)
  /// A metadata value is outside what the model can mean.
  case wrongValue(path: String, key: String, expected: String, found: String)
  /// The weights are more than memory holds, that of a device included.
  case tooLarge(path: String, neededBytes: Int, availableBytes: Int)

  public var description: String {
    switch self {
    case .unsupportedArchitecture(let path, let found, let known):
      "\(path): the architecture “\(found)” is not one that hybrimoe runs "
        + "(\(known.joined(separator: ", "))); `inspect` and `tokenize` work on it all the same"
    case .missingTensor(let path, let name, let purpose):
      "\(path): the tensor \(name) (\(purpose)) is missing; the file is incomplete or was converted "
        + "for another program: download or convert it again"
    case .unknownTensors(let path, let architecture, let names):
      "\(path): \(architecture) as hybrimoe runs it has no use for \(ModelError.listing(names)); "
        + "running without would give wrong text, so the file is refused"
    case .wrongShape(let path, let tensor, let expected, let found):
      "\(path): tensor \(tensor) is \(ModelError.shape(found)) where the metadata asks for "
        + "\(ModelError.shape(expected)); the file is damaged or was converted wrongly"
    case .unsupportedElementType(let path, let tensor, let found):
      "\(path): tensor \(tensor) is stored as \(found), which hybrimoe does not compute with; "
        + "use a file with another quantisation, such as Q4_K_M or Q8_0"
    case .wrongValue(let path, let key, let expected, let found):
      "\(path): \(key) is \(found), expected \(expected); the file is damaged or newer than this program"
    case .tooLarge(let path, let needed, let available):
      "\(path): the weights take \(WeightNotice.gigabytes(needed)), but only "
        + "\(WeightNotice.gigabytes(available)) of memory are available. Use a smaller model or "
        + "quantisation, or end other programs; with --weights native it runs all the same, but "
        + "far slower, since weights are read from the disk again and again"
    }
  }

  private static func shape(_ dimensions: [Int]) -> String {
    "[" + dimensions.map { "\($0)" }.joined(separator: ", ") + "]"
  }

  /// The first names, and how many more there are.
  private static func listing(_ names: [String]) -> String {
    let shown = names.prefix(3).joined(separator: ", ")
    let noun = names.count == 1 ? "the tensor" : "the \(names.count) tensors"
    return "\(noun) \(shown)" + (names.count > 3 ? ", …" : "")
  }
}
