// y[t] = x[t] W for weights as they are stored, F32 [rows, columns] of each head.
//
// Grid (columns / threads of a block, tokens / TOKENS, heads), all rounded up. A thread takes a column for TOKENS
// tokens: a row of weights is read in one piece, x is the same for all threads. Sums run over the rows, ascending, from
// +0. Bytes moved: the weights once for TOKENS tokens, x once for each block.
#include "common.cuh"

enum { TRANSPOSED_TOKENS = 4 };

KERNEL(product_transposed)(const gpu_product_transposed_arguments a) {
  const u32 column = blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * TRANSPOSED_TOKENS, head = blockIdx.z;
  if (column >= a.columns) return;
  const float *weights = (const float *)a.weights + (u64)head * a.rows * a.columns + column;
  const float *x[TRANSPOSED_TOKENS];
  float sums[TRANSPOSED_TOKENS] = {};
#pragma unroll
  for (u32 t = 0; t < TRANSPOSED_TOKENS; t++)
    x[t] = (const float *)a.x + (u64)min(first + t, a.tokens - 1) * a.x_stride + (u64)head * a.x_head_stride;
#pragma unroll 4
  for (u32 r = 0; r < a.rows; r++) {
    const float w = weights[(u64)r * a.columns];
#pragma unroll
    for (u32 t = 0; t < TRANSPOSED_TOKENS; t++) sums[t] = __fmaf_rn(x[t][r], w, sums[t]);
  }
#pragma unroll
  for (u32 t = 0; t < TRANSPOSED_TOKENS; t++) {
    if (first + t >= a.tokens) break;
    ((float *)a.y)[(u64)(first + t) * a.y_stride + (u64)head * a.y_head_stride + column] = sums[t];
  }
}
