// The norm of rows, after a change was added to them where there is one.
//
// Shape: a block takes one segment of one row. All threads add and scale; the sum of squares is sixteen
// chains, number i in chain i mod 16, ascending, which sixteen threads run and fold.
// Bytes moved: the row twice (the second time from the nearest cache), the change, the weight and y once.
#include "dense.cuh"

KERNEL(rms_norm)(const gpu_rms_norm_arguments a) {
  SHARED float shared_scale;
  const u32 row = blockIdx.x, segment = blockIdx.y, n = a.columns;
  float *x = (float *)a.x + (size_t)row * a.x_stride + (size_t)segment * n;
  if (a.change) {
    const float *change = (const float *)a.change + (size_t)row * a.change_stride + (size_t)segment * n;
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) x[i] = __fmaf_rn(1.0f, change[i], x[i]);
  }
  if (!a.y) return;
  __syncthreads();
  if (threadIdx.x < 32) {
    float sum = 0.0f;
#pragma unroll 8
    for (u32 i = threadIdx.x % 16; i < n; i += 16) sum = __fmaf_rn(x[i], x[i], sum);
    float mean = __fdiv_rn(fold(sum), (float)n);
    if (threadIdx.x == 0) shared_scale = __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(mean, a.epsilon)));
  }
  __syncthreads();
  const float scale = shared_scale, *weight = (const float *)a.weight;
  float *y = (float *)a.y + (size_t)row * a.y_stride + (size_t)segment * n;
  for (u32 i = threadIdx.x; i < n; i += blockDim.x) y[i] = __fmul_rn(__fmul_rn(x[i], scale), weight[i]);
}
