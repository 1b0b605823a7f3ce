import CGPUKernels
import CPUCompute
import Devices

extension DeviceOperations {
  /// Attention over F32 keys and values that every head has of its own, as prefill of latent attention
  /// expands them; rows stand at `position`, `position + 1`, ….
  /// - Parameters:
  ///   - queries: [rows, heads × keyLength]
  ///   - keys: [positions, keyLength] for each head.
  ///   - values: [positions, valueLength] for each head.
  ///   - scratch: address of `attentionScratchCount` F32; 0: positions are never taken in parts.
  ///   - out: [rows, heads × valueLength]
  public func attend(
    _ queries: DeviceRows, expandedKeys keys: DeviceHeads, values: DeviceHeads, position: Int,
    shape: AttentionShape, scratch: UInt64, into out: DeviceRows, on stream: any DeviceStream
  ) throws(DeviceError) {
    precondition(keys.headCount == shape.headCount && values.headCount == shape.headCount)
    precondition(keys.first.columnCount == shape.keyLength)
    precondition(values.first.columnCount == shape.valueLength)
    precondition(position >= 0 && position + queries.rowCount <= keys.first.rowCount)
    let arguments = gpu_attention_arguments(
      queries: queries.address, out: out.address, keys: keys.first.address,
      values: values.first.address, sinks: 0, scratch: scratch,
      key_head_stride: UInt64(4 * keys.headStride),
      value_head_stride: UInt64(4 * values.headStride),
      query_stride: u32(queries.stride), out_stride: u32(out.stride), rows: u32(queries.rowCount),
      heads: u32(shape.headCount), group: 1, key_length: u32(shape.keyLength),
      value_length: u32(shape.valueLength), position: u32(position),
      window: u32(shape.window ?? 0), element_type: 0, key_stride: u32(4 * keys.first.stride),
      value_stride: u32(4 * values.first.stride), blocks: 0,
      scale: shape.scale)
    try launch(arguments, shape: shape, on: stream)
  }
}
