import Experts
import Models
import RoutingTraces

/// Writes the routing of a run as a routing trace, step by step, with the scores of all experts and
/// what each layer's hidden state foresees of the next three.
///
/// Each step is written as one piece, so that whatever ends the run, whole steps are there. A prompt
/// that is read in several chunks is several steps. Numbers are written with the fewest digits that
/// read back to the same `Float`.
public final class TraceRecorder: StepObserver {
  public let header: TraceHeader
  /// Whole steps that were written.
  public private(set) var stepCount = 0
  /// What ended the recording before the run ended; nothing is written after it.
  public private(set) var failure: (any Error)?

  private let sink: ([UInt8]) throws -> Void
  private var writer: TraceWriter
  private var text: [UInt8] = []
  private var phase = Phase.prefill
  private var nextStep = 0
  /// MoE layers, counted from 0, by layer number of the file.
  private let places: [Int: Int]

  public var readsScores: Bool { true }

  /// - Parameters:
  ///   - name: what the trace calls the model.
  ///   - sink: takes the text of a whole step and brings it into the file.
  /// - Throws: `TraceError.header` for a model that a trace cannot describe; what the sink throws.
  public init(
    _ model: DecoderModel, name: String, sink: @escaping ([UInt8]) throws -> Void
  ) throws {
    let layers = model.expertLayers.sorted { $0.key < $1.key }
    places = Dictionary(
      uniqueKeysWithValues: layers.enumerated().map { ($0.element.key, $0.offset) })
    header = TraceHeader(
      model: name, layers: layers.count, experts: model.hyperparameters.expertCount,
      activated: model.hyperparameters.activeExpertCount,
      expertBytes: layers.map { $0.value.meanExpertBytes }, numbers: .float32)
    self.sink = sink
    writer = try TraceWriter(header, to: &text)
    try sink(text)
    text.removeAll(keepingCapacity: true)
  }

  public func willRun(_ phase: Phase) { self.phase = phase }

  public func didRoute(_ routing: LayerRouting) {
    guard failure == nil, let place = places[routing.layer] else { return }
    // A step that was cancelled between its layers is not whole: no part of it is written, and its
    // number is left out.
    if place == 0, !text.isEmpty {
      text.removeAll(keepingCapacity: true)
      nextStep += 1
    }
    let event = RoutingEvent(
      step: nextStep, phase: phase, layer: place, ids: routing.ids.map(Int.init),
      weights: routing.weights.map(Double.init), scores: routing.scores.map(Double.init),
      predicted: routing.predicted.compactMap { later in
        places[later.layer].map {
          PredictedScores(layer: $0, scores: later.scores.map(Double.init))
        }
      })
    do {
      try writer.append(event, to: &text)
      guard place == header.layers - 1 else { return }
      try sink(text)
      text.removeAll(keepingCapacity: true)
      stepCount += 1
      nextStep += 1
    } catch {
      failure = error
    }
  }

}

extension ExpertLayer {
  /// Bytes of one expert's three matrices.
  package var meanExpertBytes: Int {
    let bytes = (gate + up + down).reduce(0) { $0 + $1.byteCount }
    return bytes / max(1, expertCount)
  }
}
