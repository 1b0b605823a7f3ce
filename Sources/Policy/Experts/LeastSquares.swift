/// Linear least squares with coefficients that are not negative, for a handful of unknowns.
///
/// The best non-negative coefficients are the plain least squares over some of the columns, so with
/// so few unknowns all choices of columns are tried.
struct LeastSquares {
  /// What is known of the columns: their sums of squares and products, and those with the target.
  private var products: [[Double]]
  private var targets: [Double]
  private var targetSquares = 0.0

  init(unknowns: Int) {
    products = Array(repeating: Array(repeating: 0, count: unknowns), count: unknowns)
    targets = Array(repeating: 0, count: unknowns)
  }

  /// Adds an equation `Σ coefficient × row = target`, all of equal weight.
  mutating func add(_ row: [Double], target: Double) {
    for (left, leftValue) in row.enumerated() {
      targets[left] += leftValue * target
      for (right, rightValue) in row.enumerated() {
        products[left][right] += leftValue * rightValue
      }
    }
    targetSquares += target * target
  }

  /// The columns that hold anything but zeros.
  var filledColumns: [Int] { targets.indices.filter { products[$0][$0] > 0 } }

  /// Whether no column of these is a sum of the others, as far as doubles can tell.
  func isIndependent(_ columns: [Int]) -> Bool { solve(columns) != nil }

  /// The non-negative coefficients with the least sum of squared errors, and that sum.
  ///
  /// - Complexity: O(2^unknowns × unknowns³).
  func solution() -> (coefficients: [Double], squaredError: Double) {
    var best = (coefficients: targets.map { _ in 0.0 }, squaredError: targetSquares)
    let filled = filledColumns
    for choice in 1..<(1 << filled.count) {
      let columns = filled.indices.filter { choice >> $0 & 1 == 1 }.map { filled[$0] }
      guard let values = solve(columns), values.allSatisfy({ $0 >= 0 }) else { continue }
      var error = targetSquares
      for (place, column) in columns.enumerated() { error -= values[place] * targets[column] }
      guard error < best.squaredError else { continue }
      best.squaredError = max(0, error)
      for column in targets.indices { best.coefficients[column] = 0 }
      for (place, column) in columns.enumerated() { best.coefficients[column] = values[place] }
    }
    return best
  }

  // The normal equations over some columns by elimination, each column scaled to length 1; nil
  // where they do not determine the coefficients.
  private func solve(_ columns: [Int]) -> [Double]? {
    let scales = columns.map { products[$0][$0].squareRoot() }
    guard scales.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    var rows = columns.indices.map { left in
      columns.indices.map { right in
        products[columns[left]][columns[right]] / (scales[left] * scales[right])
      } + [targets[columns[left]] / scales[left]]
    }
    for step in rows.indices {
      let pivot = (step..<rows.count).max { abs(rows[$0][step]) < abs(rows[$1][step]) } ?? step
      rows.swapAt(step, pivot)
      // A pivot is the squared sine of the column's angle to those before it.
      guard abs(rows[step][step]) > 1e-9 else { return nil }
      for other in rows.indices where other != step {
        let factor = rows[other][step] / rows[step][step]
        for column in step..<rows[step].count { rows[other][column] -= factor * rows[step][column] }
      }
    }
    return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] / scales[$0] }
  }
}
