import CPUCompute
import DeviceCompute

extension DeviceStep {
  /// Latent attention of the normalised state; as `LatentAttention` has it.
  func attend(_ attention: DeviceLatent, cache: DeviceKeyValueCache.Layer) throws {
    let shape = attention.shape
    let latent = arena.rows(tokenCount, columns: shape.cachedLength)
    let queries = try project(attention, latent: latent)
    let plainKey = latent.columns(0..<shape.latentLength)
    try operations.normalize(
      plainKey, weight: attention.keyValueNorm, epsilon: shape.normEpsilon, into: plainKey,
      on: stream)
    try operations.rotate(
      latent, headCount: 1, headLength: shape.cachedLength, offset: shape.latentLength,
      cosines: cosines, sines: sines, layout: shape.layout, on: stream)
    try operations.rotate(
      queries, headCount: shape.headCount, headLength: shape.headLength,
      offset: shape.plainLength, cosines: cosines, sines: sines, layout: shape.layout, on: stream)
    try operations.store(latent, in: cache.keys, from: position, on: stream)
    let values = arena.rows(tokenCount, columns: shape.headCount * shape.valueLength)
    switch phase {
    case .prefill: try attendExpanded(attention, queries, cache: cache.keys, into: values)
    case .decode: try attendAbsorbed(attention, queries, cache: cache.keys, into: values)
    }
    var outputs = ProductInputs(values)
    try product(DeviceProjection(weight: attention.output), &outputs, into: change)
  }

  /// Queries of all heads [tokens, heads × (plain + rotary)]; fills the latent rows too.
  private func project(_ attention: DeviceLatent, latent: DeviceRows) throws -> DeviceRows {
    let shape = attention.shape
    let queries = arena.rows(tokenCount, columns: shape.headCount * shape.headLength)
    var inputs = ProductInputs(normed)
    try product(DeviceProjection(weight: attention.keyValueDown), &inputs, into: latent)
    switch attention.query {
    case .direct(let weight):
      try product(DeviceProjection(weight: weight), &inputs, into: queries)
    case .lowRank(let down, let norm, let up):
      let low = arena.rows(tokenCount, columns: down.rowCount)
      try product(DeviceProjection(weight: down), &inputs, into: low)
      try operations.normalize(
        low, weight: norm, epsilon: shape.normEpsilon, into: low, on: stream)
      var narrowed = ProductInputs(low)
      try product(DeviceProjection(weight: up), &narrowed, into: queries)
    }
    return queries
  }

  /// Decode: queries are projected to latents, and all heads share the cached rows.
  /// queries: [tokens, heads × (plain + rotary)], values: [tokens, heads × value]
  private func attendAbsorbed(
    _ attention: DeviceLatent, _ queries: DeviceRows, cache: DeviceCacheRows,
    into values: DeviceRows
  ) throws {
    let shape = attention.shape
    let heads = shape.headCount
    let absorbed = try absorb(attention, queries)
    let mixed = arena.rows(tokenCount, columns: heads * shape.latentLength)
    let form = AttentionShape(
      headCount: heads, keyLength: shape.cachedLength, valueLength: shape.latentLength,
      scale: shape.scale)
    try operations.attend(
      absorbed, keys: cache, values: nil, position: position, shape: form,
      scratch: attentionScratch(form), into: mixed, on: stream)
    try product(
      ofHeads: attention.values, mixed.heads(heads, 0..<shape.latentLength),
      into: values.heads(heads, 0..<shape.valueLength))
  }

  /// Queries against latents: [tokens, heads × (latent + rotary)].
  private func absorb(_ attention: DeviceLatent, _ queries: DeviceRows) throws -> DeviceRows {
    let shape = attention.shape
    let heads = shape.headCount
    let absorbed = arena.rows(tokenCount, columns: heads * shape.cachedLength)
    let plain = queries.heads(heads, 0..<shape.plainLength)
    let target = absorbed.heads(heads, 0..<shape.latentLength)
    if let keys = attention.keys {
      try product(ofHeads: keys, plain, into: target)
    } else {
      try operations.productTransposed(
        plain, weights: attention.keyProjections, into: target, on: stream)
    }
    try operations.copyColumns(
      queries.heads(heads, shape.plainLength..<shape.headLength),
      into: absorbed.heads(heads, shape.latentLength..<shape.cachedLength), on: stream)
    return absorbed
  }

  /// A product for each head, with weights of its own.
  private func product(
    ofHeads weights: DeviceHeadMatrices, _ x: DeviceHeads, into y: DeviceHeads
  ) throws {
    let records = arena.records(
      x.headCount * x.first.rowCount, columns: x.first.columnCount,
      width: weights.first.activationWidth)
    try operations.quantize(x, into: records, on: stream)
    try operations.product(
      records, weights.first, weightsHeadByteCount: weights.headByteCount, into: y, on: stream)
  }

  /// Prefill: the cached latents become keys and values of every head, some heads at a time.
  /// queries: [tokens, heads × (plain + rotary)], values: [tokens, heads × value]
  private func attendExpanded(
    _ attention: DeviceLatent, _ queries: DeviceRows, cache: DeviceCacheRows,
    into values: DeviceRows
  ) throws {
    let shape = attention.shape
    let positions = position + tokenCount
    let latents = arena.rows(positions, columns: shape.cachedLength)
    try operations.load(cache, head: 0, from: 0, into: latents, on: stream)
    var inputs = ProductInputs(latents.columns(0..<shape.latentLength))
    let records = try inputs.records(ofWidth: attention.values.first.activationWidth, self)
    let perHead = 4 * positions * (shape.headLength + shape.valueLength)
    let headsAtOnce = max(1, min(shape.headCount, limits.expansionByteCount / max(1, perHead)))
    // A bound that grows with the positions, which what so many heads take does not.
    let space = arena.take(
      byteCount: 256 + max(perHead, min(shape.headCount * perHead, limits.expansionByteCount)))
    for first in stride(from: 0, to: shape.headCount, by: headsAtOnce) {
      let heads = first..<min(first + headsAtOnce, shape.headCount)
      try attend(
        attention, heads: heads, latents: latents, records: records, in: space,
        queries.columns(heads.lowerBound * shape.headLength..<heads.upperBound * shape.headLength),
        into: values.columns(
          heads.lowerBound * shape.valueLength..<heads.upperBound * shape.valueLength))
    }
  }

  /// Some heads of the expanded form.
  /// - Parameters:
  ///   - latents: [positions, latent + rotary]; records: of their first part.
  ///   - space: address of room for these heads' keys and values.
  private func attend(
    _ attention: DeviceLatent, heads: Range<Int>, latents: DeviceRows, records: DeviceRecords,
    in space: UInt64, _ queries: DeviceRows, into out: DeviceRows
  ) throws {
    let shape = attention.shape
    let keys = DeviceHeads(
      first: DeviceRows(
        address: space, rowCount: latents.rowCount, columnCount: shape.headLength),
      headCount: heads.count, headStride: latents.rowCount * shape.headLength)
    let keyByteCount = (4 * heads.count * keys.headStride + 255) / 256 * 256
    let headNumbers = shape.plainLength * shape.latentLength
    try operations.expandKeys(
      latents,
      weights: attention.keyProjections + UInt64(4 * heads.lowerBound * headNumbers),
      plainLength: shape.plainLength, rotaryLength: shape.rotaryLength, into: keys, on: stream)
    let values = DeviceRows(
      address: space + UInt64(keyByteCount), rowCount: latents.rowCount,
      columnCount: heads.count * shape.valueLength)
    if let stacked = attention.values.stacked(heads) {
      try operations.product(records, stacked, into: values, on: stream)
    } else {
      for (index, head) in heads.enumerated() {
        try operations.product(
          records, attention.values.head(head),
          into: values.columns(index * shape.valueLength..<(index + 1) * shape.valueLength),
          on: stream)
      }
    }
    let form = AttentionShape(
      headCount: heads.count, keyLength: shape.headLength, valueLength: shape.valueLength,
      scale: shape.scale)
    try operations.attend(
      queries, expandedKeys: keys, values: values.heads(heads.count, 0..<shape.valueLength),
      position: position, shape: form, scratch: 0, into: out, on: stream)
  }
}

extension DeviceRows {
  /// The same part of every head of rows that are `count` heads side by side.
  func heads(_ count: Int, _ part: Range<Int>) -> DeviceHeads {
    let headLength = columnCount / count
    return DeviceHeads(
      first: columns(part), headCount: count, headStride: headLength)
  }
}
