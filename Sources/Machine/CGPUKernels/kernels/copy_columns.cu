// Copies columns of rows.
//
// Shape: a block takes one head of one row, a thread some of its numbers.
#include "common.cuh"

KERNEL(copy_columns)(const gpu_copy_columns_arguments a) {
  const float *x = (const float *)a.x + (size_t)blockIdx.x * a.x_stride + (size_t)blockIdx.y * a.x_head_stride;
  float *y = (float *)a.y + (size_t)blockIdx.x * a.y_stride + (size_t)blockIdx.y * a.y_head_stride;
  for (u32 i = threadIdx.x; i < a.columns; i += blockDim.x) y[i] = x[i];
}
