// Records of activations (layout: ckernels_packed.h): where their parts lie, and how a warp writes them.
// The arithmetic is that of body/quantize.h of the CPU's kernels, every part of a record included.
#pragma once
#include "common.cuh"

/// Bytes filled up to whole cache lines.
DEVICE u32 lines(u32 bytes) { return (bytes + 63) / 64 * 64; }

/// Where the parts of a record begin, in bytes: numbers, scales, the three of sums; then its size.
DEVICE u32 record_offset(u32 columns, u32 width, u32 part) {
  if (width == 0) return part == 0 ? 0 : lines(4 * columns);
  u32 scales = lines(columns), third = scales + lines(columns / width * 4), fourth = third + lines(columns / 8);
  u32 fifth = fourth + lines(width == 256 ? columns / 16 : columns / 8);
  u32 end = fifth + lines(width == 256 ? columns / 4 : columns / 8);
  return part == 0 ? 0 : part == 1 ? scales : part == 2 ? third : part == 3 ? fourth : part == 4 ? fifth : end;
}

DEVICE u32 record_bytes(u32 columns, u32 width) { return record_offset(columns, width, 5); }

/// What numbers are multiplied with, and the scale that undoes it, for the bits of a block's largest magnitude.
DEVICE float inverse_and_scale(u32 largest, float *scale) {
  *scale = __uint_as_float(0x7fc00000u);
  if (largest >= 0x7f800000u) return 0;
  float magnitude = __uint_as_float(largest);
  *scale = 0;
  if (magnitude < 0x1p-100f) return 0;
  *scale = __fdiv_rn(magnitude, 127.0f);
  return __fdiv_rn(127.0f, magnitude);
}

/// The largest over `lanes` neighbouring lanes, a power of two.
DEVICE u32 largest_of(u32 value, u32 lanes) {
  for (u32 by = 1; by < lanes; by *= 2) value = max(value, __shfl_xor_sync(0xffffffffu, value, (int)by));
  return value;
}

DEVICE u32 bytes_of(const int *q) {
  return (q[0] & 255) | (q[1] & 255) << 8 | (q[2] & 255) << 16 | (u32)q[3] << 24;
}

/// The lane's eight F32 numbers from `column` on as they are, zeros up to the record's end.
DEVICE void write_plain(const float *v, u32 column, u32 columns, u8 *record) {
  float *out = (float *)record;
  for (u32 i = 0; i < 8; i++)
    if (column + i < lines(4 * columns) / 4) out[column + i] = column + i < columns ? v[i] : 0.0f;
}

/// What eight lanes' numbers became. sum: of this lane's eight, 16 and 32: with its neighbours'.
struct QuantizedEight {
  u32 low, high;
  float scale;
  int sum16, sum32;
};

DEVICE QuantizedEight quantize_eight(const float *v, u32 width) {
  u32 largest = 0;
  for (u32 i = 0; i < 8; i++) largest = max(largest, __float_as_uint(v[i]) & 0x7fffffffu);
  QuantizedEight result;
  float inverse = inverse_and_scale(largest_of(largest, width / 8), &result.scale);
  int q[8], sum = 0;
  for (u32 i = 0; i < 8; i++) {
    q[i] = inverse == 0 ? 0 : __float2int_rn(__fmul_rn(v[i], inverse));
    sum += q[i];
  }
  result.low = bytes_of(q), result.high = bytes_of(q + 4);
  result.sum16 = sum + __shfl_xor_sync(0xffffffffu, sum, 1);
  result.sum32 = result.sum16 + __shfl_xor_sync(0xffffffffu, result.sum16, 2);
  return result;
}

DEVICE void write_parts(const QuantizedEight &q, u32 column, u32 columns, u32 width, u8 *record) {
  u8 *scales = record + record_offset(columns, width, 1), *third = record + record_offset(columns, width, 2);
  u8 *fourth = record + record_offset(columns, width, 3), *fifth = record + record_offset(columns, width, 4);
  ((u32 *)record)[column / 4] = q.low;
  ((u32 *)record)[column / 4 + 1] = q.high;
  if (column % width == 0) ((float *)scales)[column / width] = q.scale;
  if (width == 256 && column % 16 == 0) {
    ((i16 *)third)[column / 16] = (i16)q.sum16;
    ((i32 *)fifth)[column / 16] = -32 * q.sum16;
  }
  if (width == 256 && column % 32 == 0) ((i16 *)fourth)[column / 32] = (i16)q.sum32;
  if (width == 32 && column % 32 == 0) {
    ((i32 *)third)[column / 32] = -8 * q.sum32;
    ((i32 *)fourth)[column / 32] = -16 * q.sum32;
    ((i32 *)fifth)[column / 32] = -128 * q.sum32;
  }
}

/// Zeros from the end of each part to the next. Called by a warp.
DEVICE void fill_parts(u32 columns, u32 width, u32 lane, u8 *record) {
  for (u32 part = 0; part < 5; part++) {
    u32 used = part == 0 ? columns : part == 1 ? columns / width * 4 : columns / 8;
    if (width == 256 && part > 2) used = part == 3 ? columns / 16 : columns / 4;
    u32 begin = record_offset(columns, width, part) + used, end = record_offset(columns, width, part + 1);
    for (u32 at = begin + 4 * lane; at < end; at += 128) *(u32 *)(record + at) = 0;
  }
}

/// Neighbouring numbers of a row, eight in each lane of a warp, into its record and, where it is not null, into a copy.
/// v: the lane's, those of columns `column` ...; a lane beyond the columns brings zeros. The first lane's column
/// is a multiple of the width. ends: whether the row ends within the warp.
DEVICE void write_record(const float *v, u32 column, u32 columns, u32 width, bool ends, u8 *record, u8 *copy) {
  QuantizedEight q = {};
  if (width != 0) q = quantize_eight(v, width);
  for (u32 i = 0; i < 2; i++) {
    u8 *out = i == 0 ? record : copy;
    if (!out) continue;
    if (width == 0) write_plain(v, column, columns, out);
    if (width != 0 && column < columns) write_parts(q, column, columns, width, out);
    if (width != 0 && ends) fill_parts(columns, width, threadIdx.x % 32, out);
  }
}
