// The experts' rows of a token, summed in the order of their ranks, and the shared expert's behind them.
//
// Shape: a thread takes one column of one token: y = fma(weight, row, y) from +0, rank by rank. Rows lie in
// the device's memory or in the host's, as the table of origins says; both are read in whole lines.
#include "common.cuh"

KERNEL(combine)(const gpu_combine_arguments a) {
  const u32 token = blockIdx.x, c = blockIdx.y * blockDim.x + threadIdx.x;
  if (c >= a.columns) return;
  const u32 *origins = (const u32 *)a.origins + (size_t)token * a.ranks;
  const float *weights = (const float *)a.weights + (size_t)token * a.ranks;
  float y = 0.0f;
  for (u32 rank = 0; rank < a.ranks; rank++) {
    u32 origin = origins[rank];
    const float *rows = (const float *)(origin >> 31 ? a.host_rows : a.device_rows);
    y = __fmaf_rn(weights[rank], rows[(size_t)(origin & 0x7fffffffu) * a.row_stride + c], y);
  }
  if (a.shared) y = __fmaf_rn(1.0f, ((const float *)a.shared)[(size_t)token * a.shared_stride + c], y);
  ((float *)a.y)[(size_t)token * a.y_stride + c] = y;
}
