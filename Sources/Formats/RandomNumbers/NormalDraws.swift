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
      let ziggurat = Ziggurat.normal
      if abs(place) < ziggurat.inner[strip] { return place * ziggurat.edges[strip] }
      if strip == 0 { return tail(isNegative: place < 0) }
      // Between the strip's rectangle and its neighbour: accepted where it lies under the bell.
      let x = place * ziggurat.edges[strip]
      let outer = Ziggurat.bell(ziggurat.edges[strip])
      let inner = Ziggurat.bell(ziggurat.edges[strip + 1])
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
private struct Ziggurat: Sendable {
  static let normal = Ziggurat()
  /// Where the outermost strip's rectangle ends, and each strip's area, for 128 strips (Doornik).
  static let outermost = 3.442619855899
  static let area = 9.91256303526217e-3

  /// The right edges of the strips, outermost first, 0 at the end.
  let edges: InlineArray<129, Double>
  /// The share of each strip's width that lies wholly under the bell.
  let inner: InlineArray<128, Double>

  static func bell(_ x: Double) -> Double { exponential(-0.5 * x * x) }

  init() {
    var edges = InlineArray<129, Double>(repeating: 0)
    // The lowest strip holds the tail: its width is that of a rectangle of the same area.
    edges[0] = Self.area / Self.bell(Self.outermost)
    edges[1] = Self.outermost
    for strip in 2..<128 {
      let height = Self.area / edges[strip - 1] + Self.bell(edges[strip - 1])
      edges[strip] = (-2 * naturalLogarithm(height)).squareRoot()
    }
    var inner = InlineArray<128, Double>(repeating: 0)
    for strip in 0..<128 { inner[strip] = edges[strip + 1] / edges[strip] }
    self.edges = edges
    self.inner = inner
  }
}
