// What the kernels of the dense part share: sums over sixteen partial sums, softmax. The operations and their
// order are those of Sources/Machine/CKernels/body/{elementwise,sums}.h.
#pragma once
#include "exponential.cuh"

/// Folds sixteen partial sums, one in each of the lanes 0 ... 15 (16 ... 31 likewise), 8, 4, 2, 1; every
/// lane gets the result. All lanes of the warp call it.
DEVICE float fold(float sum) {
  for (int step = 8; step > 0; step /= 2) sum = __fadd_rn(sum, __shfl_xor_sync(0xffffffffu, sum, step));
  return sum;
}

/// The largest number over the lanes of a warp, none of them NaN.
DEVICE float largest_of_warp(float x) {
  for (int step = 16; step > 0; step /= 2) {
    float other = __shfl_xor_sync(0xffffffffu, x, step);
    x = other > x ? other : x;
  }
  return x;
}

/// y = softmax(x) of `count` numbers by one warp; y may be x. NaNs are passed over by the largest and make
/// every result NaN. Sixteen partial sums, number i in sum i mod 16, ascending. A lane writes what it reads
/// again, and all lanes see the whole of y behind it.
DEVICE void softmax_of_warp(const float *x, float *y, u32 count, u32 lane) {
  float largest = -__int_as_float(0x7f800000);
  for (u32 i = lane; i < count; i += 32) largest = x[i] > largest ? x[i] : largest;
  largest = largest_of_warp(largest);
  for (u32 i = lane; i < count; i += 32) y[i] = exponential(__fadd_rn(x[i], -largest));
  __syncwarp();
  float sum = 0.0f;
  for (u32 i = lane % 16; i < count; i += 16) sum = __fadd_rn(sum, y[i]);
  float total = fold(sum);
  __syncwarp();
  for (u32 i = lane; i < count; i += 32) y[i] = __fdiv_rn(y[i], total);
  __syncwarp();
}
