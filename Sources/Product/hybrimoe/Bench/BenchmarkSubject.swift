import GGUF
import Inference
import Models

/// What `bench` measures: a model of a file, or made weights of a shape.
struct BenchmarkSubject {
  let name: String
  let model: DecoderModel
  let survey: ModelSurvey
  /// What the reader must know of the figures, such as that layers were left out.
  var notes: [String] = []
  /// Where layers were left out: what the figures say about the whole model.
  var whole: WholeModel?

  init(_ loaded: LoadedModel) {
    survey = ModelSurvey(loaded.file)
    name = survey.name ?? loaded.file.path
    model = loaded.model
  }

  init(name: String, file: GGUFFile, model: DecoderModel, notes: [String]) {
    survey = ModelSurvey(file)
    self.name = name
    self.model = model
    self.notes = notes
  }
}
