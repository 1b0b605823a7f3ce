// The inner loop of all products: a packed tile of sixteen rows times the records of a few tokens
// (layouts: ckernels_packed.h; arithmetic: Docs/ARITHMETIC.md; on the CPU: body/products*.h).
//
// Sixty-four threads take a tile: half a warp takes a segment of the columns, a thread one row of it, for up to
// TOKENS tokens. A thread's sums are its own from the segment's first block to its last, in ascending order;
// a load of weights touches whole sectors of 64 bytes, one of a record is the same for half a warp. Within a
// block sums are exact integers, by dp4a. At the end (p0 + p1) + (p2 + p3): one exchange within the
// warp, one through shared memory.
#pragma once
#include "records.cuh"

/// Tokens of a thread at most, threads of a tile, rows of a tile.
enum { TOKENS = 4, TILE_THREADS = 64, TILE_ROWS = 16 };

enum {
  TYPE_F32 = 0, TYPE_F16 = 1, TYPE_Q4_0 = 2, TYPE_Q4_1 = 3, TYPE_Q5_0 = 6, TYPE_Q5_1 = 7, TYPE_Q8_0 = 8,
  TYPE_Q2_K = 10, TYPE_Q3_K = 11, TYPE_Q4_K = 12, TYPE_Q5_K = 13, TYPE_Q6_K = 14, TYPE_IQ4_NL = 20,
  TYPE_IQ4_XS = 23, TYPE_BF16 = 30, TYPE_MXFP4 = 39
};

DEVICE u32 word(const u8 *p) { return *(const u32 *)p; }
DEVICE u16 half_word(const u8 *p) { return *(const u16 *)p; }
DEVICE float float_at(const u8 *p) { return *(const float *)p; }
DEVICE float half_at(const u8 *p) { return float_of_half(half_word(p)); }

/// How many numbers share a scale in the records that a type meets.
DEVICE u32 activation_width(u32 type) {
  if (type == TYPE_F32 || type == TYPE_F16 || type == TYPE_BF16) return 0;
  return (type >= TYPE_Q2_K && type <= TYPE_Q6_K) || type == TYPE_IQ4_XS ? 256 : 32;
}

/// The numbers of a table of sixteen bytes (t0 its first four) for the low nibbles of q, or for the high ones.
DEVICE u32 looked_up(u32 q, bool high, u32 t0, u32 t1, u32 t2, u32 t3) {
  // A permutation picks by four nibbles: it takes two for the halves of the table, a third chooses between them by
  // the nibbles' uppermost bits, and a last one brings those of one kind together.
  u32 first = __byte_perm(__byte_perm(t0, t1, q), __byte_perm(t2, t3, q), (q >> 1 & 0x4444) | 0x3210);
  u32 p = q >> 16;
  u32 second = __byte_perm(__byte_perm(t0, t1, p), __byte_perm(t2, t3, p), (p >> 1 & 0x4444) | 0x3210);
  return __byte_perm(first, second, high ? 0x7531 : 0x6420);
}

/// -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
DEVICE u32 iq4_numbers(u32 q, bool high) {
  return looked_up(q, high, 0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);
}

/// Doubled: 0, 1, 2, 3, 4, 6, 8, 12 and the same negative.
DEVICE u32 e2m1_numbers(u32 q, bool high) {
  return looked_up(q, high, 0x03020100u, 0x0c080604u, 0xfdfeff00u, 0xf4f8fafcu);
}

/// acc + the products of sixteen weights, four in a word, with sixteen numbers of a record.
DEVICE int dot16(const u32 *w, const u8 *x, int acc) {
  const uint4 numbers = *(const uint4 *)x;
  acc = __dp4a((int)w[0], (int)numbers.x, acc);
  acc = __dp4a((int)w[1], (int)numbers.y, acc);
  acc = __dp4a((int)w[2], (int)numbers.z, acc);
  return __dp4a((int)w[3], (int)numbers.w, acc);
}

// --- Blocks of 256 -------------------------------------------------------------------------------
//
// A block is sixteen units of sixteen columns; unit 4 m + j. Units that share words of weights have the same m, so
// that the compiler loads these once.

DEVICE constexpr u32 k_block_bytes(int type) {
  return type == TYPE_Q2_K   ? 1344
         : type == TYPE_Q3_K ? 1856
         : type == TYPE_Q4_K ? 2368
         : type == TYPE_Q5_K ? 2880
         : type == TYPE_Q6_K ? 3392
                             : 2240;
}

/// Group k of unit 4 m + j of the row `at` / 4, less the type's offset.
template <int TYPE>
DEVICE u32 k_word(const u8 *block, u32 at, u32 m, u32 j, u32 k) {
  const u32 pair = 512 * m + 64 * (4 * (j % 2) + k) + at, unit = 256 * m + 64 * k + at;
  switch (TYPE) {
  case TYPE_Q4_K: return word(block + 320 + pair) >> 4 * (j / 2) & 0x0f0f0f0f;
  case TYPE_Q5_K:
    return (word(block + 832 + pair) >> 4 * (j / 2) & 0x0f0f0f0f) |
           (word(block + 320 + pair % 512) >> (2 * m + j / 2) & 0x01010101) << 4;
  case TYPE_Q6_K:
    return (word(block + 320 + 512 * m + 256 * (j / 2) + 64 * k + at) >> 4 * (j % 2) & 0x0f0f0f0f) |
           (word(block + 2368 + unit) >> 2 * j & 0x03030303) << 4;
  case TYPE_Q2_K: return word(block + 320 + unit) >> 2 * j & 0x03030303;
  case TYPE_Q3_K:
    return (word(block + 320 + unit) >> 2 * j & 0x03030303) |
           (word(block + 1344 + 256 * (m / 2) + 64 * k + at) >> (4 * (m % 2) + j) & 0x01010101) << 2;
  default: return iq4_numbers(word(block + 192 + pair), j / 2 != 0);
  }
}

/// The scale of unit 4 m + j.
template <int TYPE>
DEVICE int k_scale(const u8 *block, u32 row, u32 m, u32 j) {
  switch (TYPE) {
  case TYPE_Q4_K: case TYPE_Q5_K: return block[64 + 16 * (2 * m + j / 2) + row];
  case TYPE_Q2_K: return block[64 + 16 * (4 * m + j) + row] & 15;
  case TYPE_IQ4_XS: return (i8)block[64 + 16 * (2 * m + j / 2) + row];
  default: return (i8)block[64 + 16 * (4 * m + j) + row];
  }
}

/// Where parts of a record of width 256 lie.
struct WideRecord {
  u32 scales, sums16, sums32, minus32;
};

/// What a unit's sum begins with, because of the type's offset. u: the unit's number in the row.
template <int TYPE>
DEVICE int k_begin(const u8 *x, const WideRecord &at, u32 u) {
  if (TYPE == TYPE_Q6_K) return (int)word(x + at.minus32 + 4 * u);
  if (TYPE == TYPE_Q3_K) return (int)word(x + at.minus32 + 4 * u) >> 3;
  return 0;
}

template <int TYPE, int T>
DEVICE void k_integers(const u8 *block, const u8 *const *x, const WideRecord &at, u32 b, u32 row, int *isum,
                       int *msum) {
  const bool pairs = TYPE == TYPE_Q4_K || TYPE == TYPE_Q5_K;
#pragma unroll 1
  for (u32 m = 0; m < 4; m++) {
#pragma unroll
    for (u32 j = 0; j < 4; j++) {
      const u32 u = 16 * b + 4 * m + j;
      const int scale = k_scale<TYPE>(block, row, m, j);
      u32 w[4];
#pragma unroll
      for (u32 k = 0; k < 4; k++) w[k] = k_word<TYPE>(block, 4 * row, m, j, k);
#pragma unroll
      for (int t = 0; t < T; t++) {
        isum[t] += scale * dot16(w, x[t] + 16 * u, k_begin<TYPE>(x[t], at, u));
        if (TYPE == TYPE_Q2_K)
          msum[t] += (block[64 + 16 * (4 * m + j) + row] >> 4) * (i16)half_word(x[t] + at.sums16 + 2 * u);
      }
    }
#pragma unroll
    for (int t = 0; pairs && t < T; t++)
      msum[t] = __dp2a_lo((int)word(x[t] + at.sums32 + 4 * (4 * b + m)),
                          (int)half_word(block + 192 + 32 * m + 2 * row), msum[t]);
  }
}

template <int TYPE, int T>
DEVICE void dot_k(const u8 *tile, const u8 *const *x, u32 columns, u32 segment, u32 row, float *acc) {
  const bool minimums = TYPE == TYPE_Q2_K || TYPE == TYPE_Q4_K || TYPE == TYPE_Q5_K;
  const u32 n = columns / 256;
  WideRecord at;
  at.scales = columns, at.sums16 = at.scales + lines(4 * n), at.sums32 = at.sums16 + lines(32 * n);
  at.minus32 = at.sums32 + lines(16 * n);
  for (u32 b = segment * n / 4; b < (segment + 1) * n / 4; b++) {
    const u8 *block = tile + b * k_block_bytes(TYPE);
    int isum[T] = {}, msum[T] = {};
    k_integers<TYPE, T>(block, x, at, b, row, isum, msum);
    const float d = half_at(block + 2 * row), dmin = minimums ? half_at(block + 32 + 2 * row) : 0.0f;
#pragma unroll
    for (int t = 0; t < T; t++) {
      const float dx = float_at(x[t] + at.scales + 4 * b);
      acc[t] = __fmaf_rn(__fmul_rn(d, dx), __int2float_rn(isum[t]), acc[t]);
      if (minimums) acc[t] = __fmaf_rn(-__fmul_rn(dmin, dx), __int2float_rn(msum[t]), acc[t]);
    }
  }
}

// --- Blocks of 32 --------------------------------------------------------------------------------

/// Group 4 j + k of a block, less the type's offset. numbers, fifths: of the block and the row.
template <int TYPE>
DEVICE u32 small_word(const u8 *numbers, u32 fifths, u32 j, u32 k) {
  if (TYPE == TYPE_Q8_0) return word(numbers + 256 * j + 64 * k);
  const u32 q = word(numbers + 64 * k);
  if (TYPE == TYPE_IQ4_NL) return iq4_numbers(q, j != 0);
  if (TYPE == TYPE_MXFP4) return e2m1_numbers(q, j != 0);
  const u32 nibbles = q >> 4 * j & 0x0f0f0f0f;
  if (TYPE == TYPE_Q5_0 || TYPE == TYPE_Q5_1) return nibbles | (fifths >> (4 * j + k) & 0x01010101) << 4;
  return nibbles;
}

/// Half of 2^(e - 127), because the numbers are doubled.
DEVICE float half_power(u32 e) { return __uint_as_float(e < 2 ? 0x00200000u << e : (e - 1) << 23); }

template <int TYPE, int T>
DEVICE void dot_small(const u8 *tile, const u8 *const *x, u32 columns, u32 segment, u32 row, float *acc) {
  const bool minimums = TYPE == TYPE_Q4_1 || TYPE == TYPE_Q5_1, fifths = TYPE == TYPE_Q5_0 || TYPE == TYPE_Q5_1;
  const u32 n = columns / 32, part = lines((TYPE == TYPE_MXFP4 ? 16 : 32) * n);
  const u8 *fifth_bits = tile + (minimums ? 2 : 1) * part, *numbers = fifth_bits + (fifths ? 64 * n : 0);
  const u32 scales = lines(columns), sums = scales + lines(4 * n), minus16 = sums + lines(4 * n);
  for (u32 b = segment * n / 4; b < (segment + 1) * n / 4; b++) {
    const u8 *block = numbers + (TYPE == TYPE_Q8_0 ? 512 : 256) * b + 4 * row;
    const u32 h = fifths ? word(fifth_bits + 64 * b + 4 * row) : 0;
    int isum[T];
#pragma unroll
    for (int t = 0; t < T; t++)
      isum[t] = TYPE == TYPE_Q4_0   ? (int)word(x[t] + sums + 4 * b)
                : TYPE == TYPE_Q5_0 ? (int)word(x[t] + minus16 + 4 * b)
                                    : 0;
#pragma unroll
    for (u32 j = 0; j < 2; j++) {
      u32 w[4];
#pragma unroll
      for (u32 k = 0; k < 4; k++) w[k] = small_word<TYPE>(block, h, j, k);
#pragma unroll
      for (int t = 0; t < T; t++) isum[t] = dot16(w, x[t] + 32 * b + 16 * j, isum[t]);
    }
    const float d = TYPE == TYPE_MXFP4 ? half_power(tile[16 * b + row]) : half_at(tile + 32 * b + 2 * row);
    const float least = minimums ? half_at(tile + part + 32 * b + 2 * row) : 0.0f;
#pragma unroll
    for (int t = 0; t < T; t++) {
      const float dx = float_at(x[t] + scales + 4 * b);
      acc[t] = __fmaf_rn(__fmul_rn(d, dx), __int2float_rn(isum[t]), acc[t]);
      // `sums` are -8 times the sum of the numbers.
      if (minimums)
        acc[t] = __fmaf_rn(__fmul_rn(least, dx), __int2float_rn(-(int)word(x[t] + sums + 4 * b) >> 3), acc[t]);
    }
  }
}

// --- F32, F16, BF16 ------------------------------------------------------------------------------

template <int TYPE>
DEVICE float plain_weight(const u8 *tile, u32 column, u32 row) {
  if (TYPE == TYPE_F32) return float_at(tile + 64 * column + 4 * row);
  if (TYPE == TYPE_F16) return half_at(tile + 32 * column + 2 * row);
  return __uint_as_float((u32)half_word(tile + 32 * column + 2 * row) << 16);
}

template <int TYPE, int T>
DEVICE void dot_plain(const u8 *tile, const u8 *const *x, u32 columns, u32 segment, u32 row, float *acc) {
  const u32 end = (u32)((u64)(segment + 1) * columns / 4);
#pragma unroll 4
  for (u32 c = (u32)((u64)segment * columns / 4); c < end; c++) {
    const float w = plain_weight<TYPE>(tile, c, row);
#pragma unroll
    for (int t = 0; t < T; t++) acc[t] = __fmaf_rn(w, float_at(x[t] + 4 * c), acc[t]);
  }
}

// --- All types -----------------------------------------------------------------------------------

/// acc[t] = the segment's sum of one row for T tokens.
template <int T>
DEVICE void dot(u32 type, const u8 *tile, const u8 *const *x, u32 columns, u32 segment, u32 row, float *acc) {
#pragma unroll
  for (int t = 0; t < T; t++) acc[t] = 0;
#define DOT(body, TYPE) \
  case TYPE: body<TYPE, T>(tile, x, columns, segment, row, acc); break;
  switch (type) {
    DOT(dot_k, TYPE_Q2_K) DOT(dot_k, TYPE_Q3_K) DOT(dot_k, TYPE_Q4_K) DOT(dot_k, TYPE_Q5_K)
    DOT(dot_k, TYPE_Q6_K) DOT(dot_k, TYPE_IQ4_XS) DOT(dot_small, TYPE_Q4_0) DOT(dot_small, TYPE_Q4_1)
    DOT(dot_small, TYPE_Q5_0) DOT(dot_small, TYPE_Q5_1) DOT(dot_small, TYPE_Q8_0) DOT(dot_small, TYPE_IQ4_NL)
    DOT(dot_small, TYPE_MXFP4) DOT(dot_plain, TYPE_F32) DOT(dot_plain, TYPE_F16) DOT(dot_plain, TYPE_BF16)
  }
#undef DOT
}

/// The products of a tile with `count` (0 ... TOKENS) tokens, by the 64 threads of the tile: in the threads of
/// segment 0 sums[t] is the result of thread's row; elsewhere it has no meaning. All threads of the block call it
/// alike. upper: shared memory of this tile and these tokens.
///
/// x: the records; beyond `count` any that can be read.
DEVICE void tile_sums(const gpu_matrix &weights, const u8 *tile, const u8 *const *x, u32 count,
                      float (*upper)[TILE_ROWS], float *sums) {
  const u32 place = threadIdx.x % TILE_THREADS, segment = place / 16, row = place % 16;
  if (count == 1) dot<1>(weights.element_type, tile, x, weights.columns, segment, row, sums);
  else if (count > 1) dot<TOKENS>(weights.element_type, tile, x, weights.columns, segment, row, sums);
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    const float other = __shfl_xor_sync(0xffffffffu, sums[t], 16);
    sums[t] = __fadd_rn(sums[t], other);
    if (segment == 2) upper[t][row] = sums[t];
  }
  __syncthreads();
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) sums[t] = __fadd_rn(sums[t], upper[t][row]);
}
