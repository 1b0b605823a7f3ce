/// A point of a step in the stream of its dense part, as whoever submits it says.
///
/// Lanes are measured at these points, where the work is, and not where the host happens to look: so
/// a layer's measured time holds what its predicted one does, the shared expert and the way to the
/// host and back.
public enum StepPoint: Equatable, Sendable {
  /// Dense work begins: at the step's start, and where the device goes on behind layers of the host.
  case denseBegins
  /// A MoE layer (`layer` is its number in the file) is routed, and the host is told.
  case routed(layer: Int, sequence: UInt32)
  /// Its shared expert is computed. Models that have none say nothing.
  case sharedComputed
  /// Both lanes have said that the layer's experts are computed; dense work follows.
  case served(sequence: UInt32)
  /// Dense work ends: the host computes the next layers.
  case hostBegins
  /// The step's output is computed.
  case stepEnds
}
