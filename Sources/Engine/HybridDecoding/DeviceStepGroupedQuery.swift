import CPUCompute
import DeviceCompute

extension DeviceStep {
  /// Grouped-query attention of the normalised state; as `GroupedQueryAttention` has it.
  func attend(_ attention: DeviceGroupedQuery, cache: DeviceKeyValueCache.Layer) throws {
    let shape = attention.shape
    let (heads, keyHeads) = (shape.headCount, shape.keyValueHeadCount)
    let (keyLength, valueLength) = (shape.keyLength, shape.valueLength)
    let queries = arena.rows(tokenCount, columns: heads * keyLength)
    let keys = arena.rows(tokenCount, columns: keyHeads * keyLength)
    let values = arena.rows(tokenCount, columns: keyHeads * valueLength)
    let mixed = arena.rows(tokenCount, columns: heads * valueLength)
    var inputs = ProductInputs(normed)
    try product(attention.query, &inputs, into: queries)
    try product(attention.key, &inputs, into: keys)
    try product(attention.value, &inputs, into: values)
    if attention.queryNorm != 0 {
      try operations.normalize(
        queries, weight: attention.queryNorm, segments: heads, epsilon: shape.normEpsilon,
        into: queries, on: stream)
    }
    if attention.keyNorm != 0 {
      try operations.normalize(
        keys, weight: attention.keyNorm, segments: keyHeads, epsilon: shape.normEpsilon,
        into: keys, on: stream)
    }
    try operations.rotate(
      queries, headCount: heads, headLength: keyLength, offset: 0, cosines: cosines, sines: sines,
      layout: shape.layout, on: stream)
    try operations.rotate(
      keys, headCount: keyHeads, headLength: keyLength, offset: 0, cosines: cosines, sines: sines,
      layout: shape.layout, on: stream)
    try operations.store(keys, in: cache.keys, from: position, on: stream)
    if let rows = cache.values {
      try operations.store(values, in: rows, from: position, on: stream)
    }
    let form = AttentionShape(
      headCount: heads, keyLength: keyLength, valueLength: valueLength,
      scale: 1 / Float(keyLength).squareRoot(), window: shape.window)
    try inParts(form) { rows, scratch in
      try operations.attend(
        queries.rows(rows), keys: cache.keys, values: cache.values,
        position: position + rows.lowerBound, shape: form, sinks: attention.sinks,
        scratch: scratch, into: mixed.rows(rows), on: stream)
    }
    var outputs = ProductInputs(mixed)
    try product(attention.output, &outputs, into: change)
  }

  /// Calls `body` for parts of the step's rows that share bounded scratch.
  func inParts(_ form: AttentionShape, _ body: (Range<Int>, UInt64) throws -> Void) throws {
    let perRow = 4 * DeviceOperations.attentionScratchCount(rowCount: 1, shape: form)
    let rowCount = max(1, min(tokenCount, limits.scratchByteCount / max(1, perRow)))
    let scratch = arena.take(byteCount: rowCount * perRow)
    for first in stride(from: 0, to: tokenCount, by: rowCount) {
      try body(first..<min(first + rowCount, tokenCount), scratch)
    }
  }
}
