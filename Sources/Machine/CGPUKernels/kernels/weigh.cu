// Rows times the logistic function of their gates.
//
// Shape: a block takes one row; every thread computes the factor, then some of the columns.
#include "dense.cuh"

KERNEL(weigh)(const gpu_weigh_arguments a) {
  float *x = (float *)a.x + (size_t)blockIdx.x * a.x_stride;
  const float factor = logistic(((const float *)a.gate)[(size_t)blockIdx.x * a.gate_stride]);
  for (u32 i = threadIdx.x; i < a.columns; i += blockDim.x) x[i] = __fmul_rn(x[i], factor);
}
