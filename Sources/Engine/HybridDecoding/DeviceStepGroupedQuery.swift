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
    try operations.attend(
      queries, keys: cache.keys, values: cache.values, position: position, shape: form,
      sinks: attention.sinks, scratch: attentionScratch(form), into: mixed, on: stream)
    var outputs = ProductInputs(mixed)
    try product(attention.output, &outputs, into: change)
  }

  /// Scratch for attention over all positions up to the step's last.
  func attentionScratch(_ form: AttentionShape) -> UInt64 {
    let count = DeviceOperations.attentionScratchCount(
      shape: form, positionCount: position + tokenCount)
    return count == 0 ? 0 : arena.take(byteCount: 4 * count)
  }
}
