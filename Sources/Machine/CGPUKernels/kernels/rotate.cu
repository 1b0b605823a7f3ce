// Rotary position embedding, in place.
//
// Shape: a block takes one head of one row, a thread some of its pairs: (a, b) becomes (a c - b s, a s + b
// c), every product and sum rounded.
#include "dense.cuh"

KERNEL(rotate)(const gpu_rotate_arguments a) {
  float *x = (float *)a.x + (size_t)blockIdx.x * a.x_stride + (size_t)blockIdx.y * a.head_length + a.offset;
  const float *cosines = (const float *)a.cosines + (size_t)blockIdx.x * a.angle_stride;
  const float *sines = (const float *)a.sines + (size_t)blockIdx.x * a.angle_stride;
  const u32 step = a.halves ? 1 : 2, partner = a.halves ? a.pairs : 1;
  for (u32 i = threadIdx.x; i < a.pairs; i += blockDim.x) {
    float *first = x + (size_t)i * step, *second = first + partner;
    float p = *first, q = *second, c = cosines[i], s = sines[i];
    *first = __fadd_rn(__fmul_rn(p, c), -__fmul_rn(q, s));
    *second = __fadd_rn(__fmul_rn(p, s), __fmul_rn(q, c));
  }
}
