extension RandomSource {
  /// A draw from the normal distribution of mean 0 and standard deviation 1.
  ///
  /// By the ziggurat of Marsaglia and Tsang (Journal of Statistical Software 5(8), 2000) in the form
  /// of Doornik (2005): the area under the bell is cut into 128 strips of the same area; almost
  /// always a point of a strip's rectangle lies under the bell and one multiplication is all.
  /// Exact up to the 53 bits of the uniform numbers, and the same on every machine.
  public mutating func nextNormal() -> Double {
    while true {
      let bits = next()
      // The strip comes from the lowest bits, the place in it from the highest, which are others.
      let strip = Int(bits & 127)
      let place = Double(bits >> 11) * 0x1p-52 - 1
      if abs(place) < Ziggurat.inner[strip] { return place * Ziggurat.edges[strip] }
      if strip == 0 { return tail(isNegative: place < 0) }
      // Between the strip's rectangle and its neighbour: accepted where it lies under the bell.
      let x = place * Ziggurat.edges[strip]
      let outer = Ziggurat.bell(Ziggurat.edges[strip])
      let inner = Ziggurat.bell(Ziggurat.edges[strip + 1])
      if outer + nextUnit() * (inner - outer) < Ziggurat.bell(x) { return x }
    }
  }

  /// A draw beyond the outermost strip (Marsaglia 1964).
  private mutating func tail(isNegative: Bool) -> Double {
    while true {
      let x = naturalLogarithm(1 - nextUnit()) / Ziggurat.outermost
      let y = naturalLogarithm(1 - nextUnit())
      if -2 * y >= x * x {
        return isNegative ? x - Ziggurat.outermost : Ziggurat.outermost - x
      }
    }
  }
}

/// The strips of the bell.
private enum Ziggurat {
  /// Where the outermost strip's rectangle ends, and each strip's area, for 128 strips (Doornik).
  static let outermost = 3.442619855899
  static let area = 9.91256303526217e-3

  // Arrays, because reading an element of a stored inline array copies all of it.

  /// The right edges of the strips, outermost first, 0 at the end.
  static let edges = {
    var edges = [Double](repeating: 0, count: 129)
    // The lowest strip holds the tail: its width is that of a rectangle of the same area.
    edges[0] = area / bell(outermost)
    edges[1] = outermost
    for strip in 2..<128 {
      let height = area / edges[strip - 1] + bell(edges[strip - 1])
      edges[strip] = (-2 * naturalLogarithm(height)).squareRoot()
    }
    return edges
  }()

  /// The share of each strip's width that lies wholly under the bell.
  static let inner = (0..<128).map { edges[$0 + 1] / edges[$0] }

  static func bell(_ x: Double) -> Double { exponential(-0.5 * x * x) }
}
