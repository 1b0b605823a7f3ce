import CGPUKernels
import CPUCompute
import Devices

/// The cache of keys and values, and attention over it.
extension DeviceOperations {
  /// Writes rows of keys or values into the cache from a position on. x: [rows, heads × length]
  public func store(
    _ x: DeviceRows, in cache: DeviceCacheRows, from position: Int, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(x.columnCount == cache.headCount * cache.length)
    precondition(position >= 0 && position + x.rowCount <= cache.capacity)
    let arguments = gpu_store_rows_arguments(
      x: x.address, cache: cache.address, head_stride_bytes: UInt64(cache.headByteStride),
      x_stride: u32(x.stride), rows: u32(x.rowCount), heads: u32(cache.headCount),
      length: u32(cache.length), position: u32(position), element_type: cache.type.rawValue,
      head_bytes: u32(cache.positionByteCount))
    try launch(
      .storeRows, grid: LaunchSize(x.rowCount, cache.headCount), block: 32, arguments, on: stream)
  }

  /// Attention of the rows at `position`, `position + 1`, … over the cache, which holds their own keys and
  /// values already.
  /// - Parameters:
  ///   - queries: [rows, heads × keyLength]
  ///   - values: nil: a value is the first numbers of its key.
  ///   - sinks: address of [heads] F32, one more logit for each; 0: none.
  ///   - scratch: address of `attentionScratchCount` F32; 0: positions are never taken in parts.
  ///   - out: [rows, heads × valueLength]
  public func attend(
    _ queries: DeviceRows, keys: DeviceCacheRows, values: DeviceCacheRows?, position: Int,
    shape: AttentionShape, sinks: UInt64 = 0, scratch: UInt64, into out: DeviceRows,
    on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(shape.headCount % keys.headCount == 0 && keys.length == shape.keyLength)
    precondition(values == nil || values?.type == keys.type)
    precondition(position >= 0 && position + queries.rowCount <= keys.capacity)
    let arguments = gpu_attention_arguments(
      queries: queries.address, out: out.address, keys: keys.address,
      values: values?.address ?? 0, sinks: sinks, scratch: scratch,
      key_head_stride: UInt64(keys.headByteStride),
      value_head_stride: UInt64((values ?? keys).headByteStride),
      query_stride: u32(queries.stride), out_stride: u32(out.stride), rows: u32(queries.rowCount),
      heads: u32(shape.headCount), group: u32(shape.headCount / keys.headCount),
      key_length: u32(shape.keyLength), value_length: u32(shape.valueLength),
      position: u32(position), window: u32(shape.window ?? 0), element_type: keys.type.rawValue,
      key_stride: u32(keys.positionByteCount),
      value_stride: u32((values ?? keys).positionByteCount), blocks: 0,
      scale: shape.scale)
    try launch(arguments, shape: shape, on: stream)
  }

  /// Cached rows of one head to F32, from position `first` on. y: [rows, length]
  public func load(
    _ cache: DeviceCacheRows, head: Int, from first: Int, into y: DeviceRows,
    on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(head < cache.headCount && y.columnCount == cache.length)
    precondition(first >= 0 && first + y.rowCount <= cache.capacity)
    let arguments = gpu_load_rows_arguments(
      cache: cache.address + UInt64(head * cache.headByteStride), y: y.address, first: u32(first),
      rows: u32(y.rowCount), columns: u32(y.columnCount), element_type: cache.type.rawValue,
      row_bytes: u32(cache.positionByteCount), y_stride: u32(y.stride))
    try launch(
      .loadRows, grid: LaunchSize(y.rowCount), block: Self.elementwiseThreads, arguments,
      on: stream)
  }

  /// Keys of all heads from latents: the plain part multiplied, the rotary part copied behind it.
  /// - Parameters:
  ///   - latents: [rows, latent + rotary]
  ///   - weights: address of [heads, plain, latent] F32.
  ///   - keys: [rows, plain + rotary] side by side for each head, `headStride` numbers from head to head.
  public func expandKeys(
    _ latents: DeviceRows, weights: UInt64, plainLength: Int, rotaryLength: Int,
    into keys: DeviceHeads, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(keys.first.columnCount == plainLength + rotaryLength)
    precondition(keys.first.stride == keys.first.columnCount)
    let arguments = gpu_expand_keys_arguments(
      latents: latents.address, weights: weights, keys: keys.first.address,
      key_head_stride: UInt64(keys.headStride), rows: u32(latents.rowCount),
      heads: u32(keys.headCount), plain: u32(plainLength),
      latent: u32(latents.columnCount - rotaryLength), rotary: u32(rotaryLength),
      latent_stride: u32(latents.stride))
    let grid = LaunchSize(
      parts(latents.rowCount, of: 64), parts(plainLength, of: 64), keys.headCount)
    try launch(.expandKeys, grid: grid, block: 256, arguments, on: stream)
  }
}
