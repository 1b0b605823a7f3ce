import CKernels

/// What products read: rows of F32, or rows that are quantised already.
enum ProductInput {
  case activation(Activation)
  case records(RowRecords)

  var rowCount: Int {
    switch self {
    case .activation(let x): x.rowCount
    case .records(let x): x.rowCount
    }
  }

  var columnCount: Int {
    switch self {
    case .activation(let x): x.columnCount
    case .records(let x): x.columnCount
    }
  }
}

/// One matrix product of a batch: y = x Wᵀ + bias.
public struct MatrixProduct {
  let input: ProductInput
  let selection: ArraySlice<Int32>?
  let weights: WeightMatrix
  let bias: UnsafePointer<Float>?
  let y: Activation

  var tokenCount: Int { selection?.count ?? input.rowCount }

  /// - Parameters:
  ///   - x: [tokens, columns of the weights]; quantised on the way where the weights' type asks for it.
  ///   - selection: which rows of x are multiplied, in this order; nil: all.
  ///   - weights: [rows, columns]
  ///   - bias: [rows] or nil
  ///   - y: [tokens, rows]
  public init(
    _ x: Activation, rows selection: ArraySlice<Int32>? = nil, _ weights: WeightMatrix,
    bias: UnsafePointer<Float>? = nil, into y: Activation
  ) {
    self.init(.activation(x), selection, weights, bias, y)
  }

  /// A product of rows that are quantised already, to the width of the weights' type, wherever they lie:
  /// in a work space, or in memory that a device wrote.
  /// - Parameter selection: which rows of x are multiplied, in this order; nil: all.
  public init(
    _ x: RowRecords, rows selection: ArraySlice<Int32>? = nil, _ weights: WeightMatrix,
    bias: UnsafePointer<Float>? = nil, into y: Activation
  ) {
    precondition(x.width == weights.activationWidth, "x is quantised for other weights")
    self.init(.records(x), selection, weights, bias, y)
  }

  private init(
    _ input: ProductInput, _ selection: ArraySlice<Int32>?, _ weights: WeightMatrix,
    _ bias: UnsafePointer<Float>?, _ y: Activation
  ) {
    self.input = input
    self.selection = selection
    self.weights = weights
    self.bias = bias
    self.y = y
    precondition(input.columnCount == weights.columnCount, "x has other columns than the weights")
    precondition(
      y.columnCount == weights.rowCount && y.rowCount == tokenCount, "y has another shape")
  }
}

/// The first half of a gated feed-forward network: h = activation(x gateᵀ, x upᵀ), quantised for the
/// product that follows while it is in the cache.
public struct GatedProduct {
  let gateInput: ProductInput
  let upInput: ProductInput
  let selection: ArraySlice<Int32>?
  let gate: WeightMatrix
  let up: WeightMatrix
  let gateBias: UnsafePointer<Float>?
  let upBias: UnsafePointer<Float>?
  let activation: GatedActivation
  let out: RowRecords

  var tokenCount: Int { selection?.count ?? gateInput.rowCount }

  /// - Parameters:
  ///   - x: [tokens, columns]
  ///   - selection: which rows of x are multiplied, in this order; nil: all.
  ///   - gate, up: [rows, columns]
  ///   - out: [tokens, rows], records of the width that the next weights ask for.
  public init(
    _ x: Activation, rows selection: ArraySlice<Int32>? = nil, gate: WeightMatrix, up: WeightMatrix,
    gateBias: UnsafePointer<Float>? = nil, upBias: UnsafePointer<Float>? = nil,
    activation: GatedActivation, into out: RowRecords
  ) {
    self.init(
      .activation(x), .activation(x), selection, gate, up, gateBias, upBias, activation, out)
  }

  /// A gated product of rows that are quantised already, wherever they lie.
  /// - Parameters:
  ///   - gateX, upX: the same rows in the widths that gate and up ask for; the same records where these
  ///     are equal.
  public init(
    gateX: RowRecords, upX: RowRecords, rows selection: ArraySlice<Int32>? = nil,
    gate: WeightMatrix, up: WeightMatrix, gateBias: UnsafePointer<Float>? = nil,
    upBias: UnsafePointer<Float>? = nil, activation: GatedActivation, into out: RowRecords
  ) {
    precondition(gateX.width == gate.activationWidth, "x is quantised for another gate")
    precondition(upX.width == up.activationWidth, "x is quantised for another up")
    precondition(gateX.rowCount == upX.rowCount)
    self.init(
      .records(gateX), .records(upX), selection, gate, up, gateBias, upBias, activation, out)
  }

  private init(
    _ gateInput: ProductInput, _ upInput: ProductInput, _ selection: ArraySlice<Int32>?,
    _ gate: WeightMatrix, _ up: WeightMatrix, _ gateBias: UnsafePointer<Float>?,
    _ upBias: UnsafePointer<Float>?, _ activation: GatedActivation, _ out: RowRecords
  ) {
    self.gateInput = gateInput
    self.upInput = upInput
    self.selection = selection
    self.gate = gate
    self.up = up
    self.gateBias = gateBias
    self.upBias = upBias
    self.activation = activation
    self.out = out
    precondition(gateInput.columnCount == gate.columnCount, "x has other columns than gate")
    precondition(upInput.columnCount == up.columnCount, "x has other columns than up")
    precondition(gate.rowCount == up.rowCount && out.columnCount == gate.rowCount)
    precondition(out.rowCount == tokenCount, "out has another number of rows")
  }
}

/// The transposed product y = x W of weights that are stored the other way round.
public struct TransposedProduct {
  let job: ck_transposed_job

  /// - Parameters:
  ///   - x: [tokens, rows of the weights]
  ///   - y: [tokens, columns of the weights]
  public init(_ x: Activation, _ weights: WeightMatrix, into y: Activation) {
    precondition(
      x.columnCount == weights.rowCount, "x has other columns than the weights have rows")
    precondition(y.columnCount == weights.columnCount && y.rowCount == x.rowCount)
    job = ck_transposed_job(
      weights: weights.base, row_bytes: weights.rowByteCount, rows: weights.rowCount,
      columns: weights.columnCount, x: x.base, x_stride: x.stride, tokens: x.rowCount, y: y.base,
      y_stride: y.stride, element_type: weights.type.rawValue)
  }
}
