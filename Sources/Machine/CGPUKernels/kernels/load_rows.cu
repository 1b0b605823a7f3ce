// Rows of a cache to F32.
//
// Shape: a block takes one row, a thread some of its numbers.
#include "cache.cuh"

KERNEL(load_rows)(const gpu_load_rows_arguments a) {
  const u8 *row = (const u8 *)a.cache + ((size_t)a.first + blockIdx.x) * a.row_bytes;
  float *y = (float *)a.y + (size_t)blockIdx.x * a.y_stride;
  for (u32 i = threadIdx.x; i < a.columns; i += blockDim.x) y[i] = cached_number(row, i, a.element_type);
}
