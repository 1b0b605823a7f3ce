// Rows of F32 into the records that products read.
//
// x: [rows, columns] for each head; records: [heads][rows], a copy of them where one is asked for. A block is a
// warp and takes 256 columns of a row, a lane eight of them: grid (columns / 256 rounded up, rows, heads).
// Nothing is summed but integers.
#include "records.cuh"

KERNEL(quantize)(const gpu_quantize_arguments a) {
  u32 lane = threadIdx.x, row = blockIdx.y, head = blockIdx.z, column = 256 * blockIdx.x + 8 * lane;
  const float *x = (const float *)a.x + (u64)row * a.x_stride + (u64)head * a.head_stride + column;
  u64 offset = ((u64)head * a.rows + row) * record_bytes(a.columns, a.width);
  float v[8];
  for (u32 i = 0; i < 8; i++) v[i] = column + i < a.columns ? x[i] : 0.0f;
  bool ends = 256 * (blockIdx.x + 1) >= a.columns;
  u8 *copy = a.copy ? (u8 *)a.copy + offset : nullptr;
  write_record(v, column, a.columns, a.width, ends, (u8 *)a.records + offset, copy);
}
