import Foundation
import TestSupport
import Tensors
import Testing

@testable import ExpertArithmetic

private let readableTypes = ElementType.allCases.filter(\.isReadable)

/// A golden file of this target (made by Tools/golden/arithmetic).
private func golden(_ name: String) throws -> GoldenBytes {
  try GoldenBytes(
    path: #require(Bundle.module.path(forResource: "Fixtures/" + name, ofType: nil)))
}

extension GoldenBytes {
  fileprivate mutating func floats(_ count: Int) -> [Float] {
    next(count, UInt32.self).map { Float(bitPattern: $0) }
  }
}

/// Which numbers differ; a NaN equals any NaN.
private func differences(_ found: [Float], _ expected: [Float]) -> [Int] {
  found.indices.filter {
    found[$0].bitPattern != expected[$0].bitPattern
      && !(found[$0].isNaN && expected[$0].isNaN)
  }
}

@Suite struct GoldenTests {
  @Test(arguments: readableTypes)
  func `quantised rows and products have the bits of an independent implementation`(
    _ type: ElementType
  ) throws {
    var file = try golden("\(type.name).product")
    #expect(file.next(UInt32.self) == type.rawValue)
    let (rows, columns, tokens) = (
      Int(file.next(UInt32.self)), Int(file.next(UInt32.self)), Int(file.next(UInt32.self))
    )
    let weights = file.take(rows * (try #require(type.byteCount(ofRow: columns))))
    let x = (0..<tokens).map { _ in file.floats(columns) }
    if let width = IntegerBlock.activationWidth(of: type) {
      let numbers = (0..<tokens).map { _ in file.take(columns).map { Int8(bitPattern: $0) } }
      for token in 0..<tokens {
        let row = QuantizedRow(x[token], width: width)
        #expect(row.numbers == numbers[token], "numbers of token \(token)")
        #expect(differences(row.scales, file.floats(columns / width)).isEmpty)
      }
    }
    let product = try ReferenceProduct(weights, type: type, columns: columns)
    for token in 0..<tokens {
      let wrong = differences(product(x[token]), file.floats(rows))
      #expect(wrong.isEmpty, "rows \(wrong) of token \(token)")
    }
    #expect(file.isAtEnd)
  }

  @Test
  func `the exponential and both activations have the bits of an independent implementation`()
    throws
  {
    var file = try golden("activations")
    let count = Int(file.next(UInt32.self))
    let (x, gate, up) = (file.floats(count), file.floats(count), file.floats(count))
    let exponentials = x.map(ReferenceActivation.exponential)
    #expect(differences(exponentials, file.floats(count)).isEmpty)
    let silu = zip(gate, up).map(ReferenceActivation.silu)
    #expect(differences(silu, file.floats(count)).isEmpty)
    let clamped = zip(gate, up).map {
      ReferenceActivation.clampedSwiGLU($0, $1, alpha: 1.702, limit: 7)
    }
    #expect(differences(clamped, file.floats(count)).isEmpty)
    #expect(file.isAtEnd)
  }
}
