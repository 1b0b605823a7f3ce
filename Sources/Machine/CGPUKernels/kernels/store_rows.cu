// Rows of keys or values into a cache of F32, F16 or Q8_0.
//
// Shape: a block takes one head of one row. F32, F16: a thread takes single numbers. Q8_0: a warp takes
// blocks of 32, a lane one number of them; the largest magnitude goes over the warp, NaNs passed over;
// numbers are rounded to the nearest, halves away from zero, and a NaN becomes 0. The last block is filled
// up with zeros.
#include "cache.cuh"

/// One number of a block of Q8_0, with 1 / d.
DEVICE i8 quantized_number(float x, float inverse) {
  float q = __fmul_rn(x, inverse);
  bool minus = q < 0.0f;
  if (q != q) q = 0.0f;
  q = __fadd_rn(q, minus ? -0.5f : 0.5f);
  q = q > 127.0f ? 127.0f : q < -127.0f ? -127.0f : q;
  return (i8)(int)q;
}

KERNEL(store_rows)(const gpu_store_rows_arguments a) {
  const u32 row = blockIdx.x, head = blockIdx.y, n = a.length;
  const float *x = (const float *)a.x + (size_t)row * a.x_stride + (size_t)head * n;
  u8 *out = (u8 *)a.cache + head * a.head_stride_bytes + ((size_t)a.position + row) * a.head_bytes;
  if (a.element_type == 0) {
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) ((float *)out)[i] = x[i];
  } else if (a.element_type == 1) {
    for (u32 i = threadIdx.x; i < n; i += blockDim.x) ((u16 *)out)[i] = half_of_float(x[i]);
  } else {
    const u32 lane = threadIdx.x % 32, warps = blockDim.x / 32;
    for (u32 block = threadIdx.x / 32; block * 32 < n; block += warps) {
      const u32 i = block * 32 + lane;
      float number = i < n ? x[i] : 0.0f, magnitude = __int_as_float(__float_as_int(number) & 0x7fffffff);
      float largest = largest_of_warp(magnitude == magnitude ? magnitude : 0.0f);
      float d = __fdiv_rn(largest, 127.0f), inverse = d != 0.0f ? __fdiv_rn(1.0f, d) : 0.0f;
      u8 *to = out + (size_t)block * 34;
      if (lane == 0) *(u16 *)to = half_of_float(d);
      ((i8 *)to)[2 + lane] = quantized_number(number, inverse);
    }
  }
}
