import CKernels
import HostMemory

extension CPUBackend {
  /// Computes several products at once; their work is cut into pieces that all threads share, whatever
  /// the sizes.
  ///
  /// Weights that have a place in a store and are used for the first time are packed on the way.
  /// - Throws: `HostMemoryError.cannotAllocate` for scratch that is needed for the first time.
  public func multiply(_ products: [MatrixProduct]) throws {
    pack(products.lazy.map(\.weights))
    let mark = inputs.mark
    defer { inputs.release(to: mark) }
    let quantized = try QuantizedInputs(
      products.lazy.map { ($0.input, $0.weights.activationWidth) }, compute: self)
    plan.begin(addressCount: products.reduce(0) { $0 + 2 * $1.tokenCount })
    var scratchBytes = 0
    var cost = 0.0
    for product in products {
      let weights = product.weights
      scratchBytes = max(
        scratchBytes, ck_product_scratch(weights.type.rawValue, weights.columnCount))
      cost +=
        Double(weights.tileCount)
        * ProductPlan.tileNanoseconds(
          tileByteCount: weights.tileByteCount, columns: weights.columnCount,
          tokenCount: product.tokenCount)
      profile?.count(weights, tokenCount: product.tokenCount)
    }
    let share = ProductPlan.share(of: cost, threadCount: threadCount)
    for (index, product) in products.enumerated() {
      let weights = product.weights
      let x = plan.rows(of: quantized.records(of: index), product.selection)
      let panel = try plan.panel(
        of: x, quantized.records(of: index), product.selection, in: inputs)
      let y = plan.rows(of: RowRecords(product.y), nil)
      plan.jobs.append(
        ck_product_job(
          weights: weights.kernelView, panel: panel, x: constant(x), y: floats(y),
          bias: product.bias,
          tokens: product.tokenCount))
      plan.cut(
        job: index, tileCount: weights.tileCount, tileByteCount: weights.tileByteCount,
        columns: weights.columnCount, tokenCount: product.tokenCount, tileStep: 1, share: share)
    }
    plan.interleave(kernels, on: team)
    let scratch = try scratchPerThread(byteCount: scratchBytes)
    team.forEachChunk(count: plan.pieces.count) { thread, index in
      let piece = plan.pieces[index]
      var job = plan.jobs[piece.job]
      job.panel = job.panel.map { $0 + piece.firstToken * job.weights.recordByteCount }
      job.x += piece.firstToken
      job.y += piece.firstToken
      job.tokens = piece.tokenCount
      let code = kernels.product(&job, piece.firstTile, piece.endTile, scratch[thread])
      precondition(code == 0, "no kernel for element type \(job.weights.element_type)")
    }
  }

  /// Computes the first halves of several gated networks at once, each row of `out` quantised where it
  /// was computed.
  /// - Throws: as `multiply`.
  public func multiplyGated(_ products: [GatedProduct]) throws {
    pack(products.lazy.map(\.gate))
    pack(products.lazy.map(\.up))
    let mark = inputs.mark
    defer { inputs.release(to: mark) }
    let gateInputs = try QuantizedInputs(
      products.lazy.map { ($0.gateInput, $0.gate.activationWidth) }, compute: self)
    let upInputs = try QuantizedInputs(
      products.lazy.map { ($0.upInput, $0.up.activationWidth) }, after: gateInputs,
      compute: self)
    plan.begin(addressCount: products.reduce(0) { $0 + 3 * $1.tokenCount })
    var scratchBytes = 0
    var cost = 0.0
    for product in products {
      var (gate, up) = (product.gate.kernelView, product.up.kernelView)
      scratchBytes = max(scratchBytes, ck_gated_scratch(&gate, &up))
      cost += Double(product.gate.tileCount) * tileNanoseconds(product)
      profile?.count(product.gate, tokenCount: product.tokenCount)
      profile?.count(product.up, tokenCount: product.tokenCount)
    }
    let share = ProductPlan.share(of: cost, threadCount: threadCount)
    for (index, product) in products.enumerated() {
      let gateX = plan.rows(of: gateInputs.records(of: index), product.selection)
      let upX =
        gateInputs.records(of: index).isSame(as: upInputs.records(of: index))
        ? gateX : plan.rows(of: upInputs.records(of: index), product.selection)
      var job = product.job(
        gateX: constant(gateX), upX: constant(upX), out: plan.rows(of: product.out, nil))
      job.gate_panel = try plan.panel(
        of: gateX, gateInputs.records(of: index), product.selection, in: inputs)
      if gateX != upX {
        job.up_panel = try plan.panel(
          of: upX, upInputs.records(of: index), product.selection, in: inputs)
      }
      plan.gatedJobs.append(job)
      plan.cut(
        job: index, tileCount: product.gate.tileCount,
        tileByteCount: product.gate.tileByteCount + product.up.tileByteCount,
        columns: 2 * product.gate.columnCount, tokenCount: product.tokenCount,
        tileStep: max(1, product.out.width / Int(CK_TILE_ROWS)), share: share)
    }
    plan.interleave(kernels, on: team)
    let scratch = try scratchPerThread(byteCount: scratchBytes)
    team.forEachChunk(count: plan.pieces.count) { thread, index in
      let piece = plan.pieces[index]
      var job = plan.gatedJobs[piece.job]
      job.gate_panel = job.gate_panel.map { $0 + piece.firstToken * job.gate.recordByteCount }
      job.up_panel = job.up_panel.map { $0 + piece.firstToken * job.up.recordByteCount }
      job.gate_x += piece.firstToken
      job.up_x += piece.firstToken
      job.out += piece.firstToken
      job.tokens = piece.tokenCount
      let code = kernels.gated_product(&job, piece.firstTile, piece.endTile, scratch[thread])
      precondition(code == 0, "no kernel for element type \(job.gate.element_type)")
    }
  }

  private func tileNanoseconds(_ product: GatedProduct) -> Double {
    ProductPlan.tileNanoseconds(
      tileByteCount: product.gate.tileByteCount + product.up.tileByteCount,
      columns: 2 * product.gate.columnCount, tokenCount: product.tokenCount)
  }

  /// Computes several transposed products, one piece of work each.
  /// - Throws: as `multiply`.
  public func multiplyTransposed(_ products: [TransposedProduct]) throws {
    let widest = products.reduce(0) { max($0, $1.job.columns) }
    let scratch = try scratchPerThread(floatCount: widest)
    team.forEachChunk(count: products.count) { thread, chunk in
      var job = products[chunk].job
      let code = kernels.transposed_product(&job, scratch[thread])
      precondition(code == 0, "no kernel for element type \(job.element_type)")
    }
  }

  /// Packs what has a place in a store and is not there yet, on all threads.
  private func pack(_ matrices: some Sequence<WeightMatrix>) {
    packing.removeAll(keepingCapacity: true)
    for weights in matrices {
      guard let slot = weights.slot, slot.tiles == nil,
        let target = slot.claim(byteCount: weights.tileCount * weights.tileByteCount)
      else { continue }
      packing.append((weights, target))
    }
    guard !packing.isEmpty else { return }
    packTiles(packing)
    profile?.mark(.packing)
    for (weights, _) in packing {
      weights.slot?.publish()
      weights.slot?.store.giveBack(weights.base, byteCount: weights.byteCount)
    }
  }

  /// Packs whole matrices to where each is wanted, on all threads.
  func packTiles(_ work: [(weights: WeightMatrix, target: UnsafeMutableRawPointer)]) {
    let tilesPerPiece = 4
    let pieceCounts = work.map { ($0.weights.tileCount + tilesPerPiece - 1) / tilesPerPiece }
    let starts = pieceCounts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    team.forEachChunk(count: starts[work.count]) { _, piece in
      let index = starts.partitioningIndex { $0 > piece } - 1
      let (weights, target) = work[index]
      var view = weights.kernelView
      let first = (piece - starts[index]) * tilesPerPiece
      let code = kernels.pack(
        &view, first, min(first + tilesPerPiece, weights.tileCount), target)
      precondition(code == 0, "no packed layout for element type \(view.element_type)")
    }
  }

  private func constant(
    _ rows: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> UnsafePointer<UnsafeRawPointer?> {
    UnsafeRawPointer(rows).assumingMemoryBound(to: UnsafeRawPointer?.self)
  }

  private func floats(
    _ rows: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> UnsafePointer<UnsafeMutablePointer<Float>?> {
    UnsafeRawPointer(rows).assumingMemoryBound(to: UnsafeMutablePointer<Float>?.self)
  }
}

extension ck_weights {
  /// Bytes of the record of a token that meets these weights.
  fileprivate var recordByteCount: Int {
    RowRecords.byteCount(
      rowCount: 1, columnCount: columns, width: ck_activation_width(element_type))
  }
}

extension GatedProduct {
  func job(
    gateX: UnsafePointer<UnsafeRawPointer?>, upX: UnsafePointer<UnsafeRawPointer?>,
    out rows: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> ck_gated_job {
    var job = ck_gated_job()
    job.gate = gate.kernelView
    job.up = up.kernelView
    job.gate_x = gateX
    job.up_x = upX
    job.gate_bias = gateBias
    job.up_bias = upBias
    job.out = UnsafePointer(rows)
    job.out_width = out.width
    job.tokens = tokenCount
    switch activation {
    case .silu: job.activation = Int32(CK_SILU)
    case .clampedSwiGLU(let alpha, let limit):
      job.activation = Int32(CK_CLAMPED_SWIGLU)
      job.alpha = alpha
      job.limit = limit
    }
    return job
  }
}

extension Array where Element == Int {
  /// The first index whose element fulfils the condition, where all behind it do too.
  fileprivate func partitioningIndex(_ condition: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
