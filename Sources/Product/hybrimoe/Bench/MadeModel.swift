/// A model of made weights in a known shape.
enum MadeModel {
  static func subject(_ name: String, console: Console) throws -> BenchmarkSubject {
    let shape = try ProfileCatalog().shape(name)
    throw CommandFailure("\(shape.title) is not made yet.")
  }
}
