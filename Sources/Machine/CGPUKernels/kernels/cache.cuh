// Rows of a cache: numbers of F32, F16 and Q8_0.
#pragma once
#include "dense.cuh"

/// Number `i` of a cached row of F32 (0), F16 (1) or Q8_0 (8), exactly.
DEVICE float cached_number(const u8 *row, u32 i, u32 type) {
  if (type == 0) return ((const float *)row)[i];
  if (type == 1) return float_of_half(((const u16 *)row)[i]);
  const u8 *block = row + (size_t)(i / 32) * 34;
  return __fmul_rn((float)((const i8 *)block)[2 + i % 32], float_of_half(*(const u16 *)block));
}
