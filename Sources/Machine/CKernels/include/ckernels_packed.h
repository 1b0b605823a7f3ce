// Packed weights and quantised activations: the layouts that the products of the CPU and of the GPU
// read. What the numbers mean is defined in Docs/ARITHMETIC.md.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Rows of weights that lie interleaved.
///
/// A packed matrix is tiles of sixteen rows; rows beyond the matrix's last are zeros. A *vector* is 64
/// bytes: for each of the tile's rows four bytes, those of four neighbouring columns (a *group*).
/// Where a byte holds two 4-bit numbers, the low nibble belongs to sub-block 2 i and the high one to
/// sub-block 2 i + 1 (K-quants), or to groups k and 4 + k (blocks of 32).
///
/// The tile of a type with blocks of 256, block after block, sizes in bytes:
///   Q4_K    d[16] f16, dmin[16] f16, sc[8][16] u8, mn[4][16][2] u8, qs[4][8] vectors          2368
///   Q5_K    d[16] f16, dmin[16] f16, sc[8][16] u8, mn[4][16][2] u8, qh[8] vectors, qs[4][8]   2880
///           (bit j of qh[g]: the fifth bit of sub-block j, group g)
///   Q6_K    d[16] f16, 32 zero bytes, sc[16][16] i8, ql[8][4] vectors, qh[4][4] vectors       3392
///           (bits 2 j, 2 j + 1 of qh[m][k]: sub-block 4 m + j, group k)
///   Q2_K    d[16] f16, dmin[16] f16, sc[16][16] u8 (low: scale, high: minimum), ql[4][4]      1344
///           (bits 2 j, 2 j + 1 of ql[m][k]: sub-block 4 m + j, group k)
///   Q3_K    d[16] f16, 32 zero bytes, sc[16][16] i8, ql[4][4] as Q2_K, qh[2][4] vectors       1856
///           (bit j of qh[m][k]: sub-block 8 m + j, group k)
///   IQ4_XS  d[16] f16, 32 zero bytes, sc[8][16] i8, qs[4][8] vectors                          2240
/// The tile of a type with blocks of 32, n blocks in a row: parts, each for all blocks, each filled up
/// with zeros to whole 64 bytes:
///   Q4_0, IQ4_NL   d[n][16] f16, qs[n][4] vectors
///   Q4_1           d[n][16] f16, m[n][16] f16, qs[n][4]
///   Q5_0           d[n][16] f16, qh[n] vectors (bit g: group g), qs[n][4]
///   Q5_1           d[n][16] f16, m[n][16] f16, qh[n], qs[n][4]
///   Q8_0           d[n][16] f16, qs[n][8]
///   MXFP4          e[n][16] u8, qs[n][4]
/// The tile of F16, BF16, F32: for each column sixteen numbers, one of each row.
enum { CK_TILE_ROWS = 16, CK_VECTOR_BYTES = 64 };

/// A matrix of weights [rows, columns] of a ggml type: native rows `row_bytes` apart, or packed, or both;
/// where `packed` is null the kernels pack a tile at a time into their scratch.
typedef struct {
  const void *native;
  const void *packed;
  size_t row_bytes;
  size_t rows;
  size_t columns;
  uint32_t element_type;
} ck_weights;

/// Bytes filled up to whole cache lines.
static inline size_t ck_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Bytes of one packed tile, or 0 for a type without a packed layout.
static inline size_t ck_tile_bytes(uint32_t element_type, size_t columns) {
  size_t n = columns / 32, k = columns / 256;
  switch (element_type) {
  case 0: return columns * 64;                                                   // F32
  case 1: case 30: return columns * 32;                                          // F16, BF16
  case 2: case 20: return ck_lines(n * 32) + n * 256;                            // Q4_0, IQ4_NL
  case 3: return 2 * ck_lines(n * 32) + n * 256;                                 // Q4_1
  case 6: return ck_lines(n * 32) + n * 64 + n * 256;                            // Q5_0
  case 7: return 2 * ck_lines(n * 32) + n * 64 + n * 256;                        // Q5_1
  case 8: return ck_lines(n * 32) + n * 512;                                     // Q8_0
  case 39: return ck_lines(n * 16) + n * 256;                                    // MXFP4
  case 10: return k * 1344;                                                      // Q2_K
  case 11: return k * 1856;                                                      // Q3_K
  case 12: return k * 2368;                                                      // Q4_K
  case 13: return k * 2880;                                                      // Q5_K
  case 14: return k * 3392;                                                      // Q6_K
  case 23: return k * 2240;                                                      // IQ4_XS
  default: return 0;
  }
}

/// How many numbers share a scale in the activations that a type is multiplied with: 256, 32, or 0 for
/// F32 activations.
static inline size_t ck_activation_width(uint32_t element_type) {
  switch (element_type) {
  case 10: case 11: case 12: case 13: case 14: case 23: return 256;
  case 2: case 3: case 6: case 7: case 8: case 20: case 39: return 32;
  default: return 0;
  }
}

/// A row of activations in the form that products read, its *record*: the numbers as int8, then, each
/// part filled up to whole 64 bytes:
///   width 256: scale[columns / 256] f32, sums16[columns / 16] i16, sums32[columns / 32] i16,
///              minus32[columns / 16] i32 = -32 sums16
///   width 32:  scale[columns / 32] f32, and i32 [columns / 32] each: minus8 = -8 sums32, minus16, minus128
///   width 0:   the numbers as F32, nothing else
/// sums16 and sums32 are the sums of 16 and of 32 neighbouring int8.
enum ck_record_part {
  CK_RECORD_NUMBERS, CK_RECORD_SCALES,
  CK_RECORD_SUMS16, CK_RECORD_SUMS32, CK_RECORD_MINUS32,          // width 256
  CK_RECORD_MINUS8 = 2, CK_RECORD_MINUS16, CK_RECORD_MINUS128,    // width 32
  CK_RECORD_END = 5
};

/// Where a part of a record begins, in bytes; CK_RECORD_END: the record's size.
static inline size_t ck_record_offset(size_t columns, size_t width, int part) {
  if (width == 0) return part == 0 ? 0 : ck_lines(columns * 4);
  size_t at = 0, group = width == 256 ? 16 : 32;
  if (part > 0) at += ck_lines(columns);
  if (part > 1) at += ck_lines(columns / width * 4);
  if (part > 2) at += width == 256 ? ck_lines(columns / 8) : ck_lines(columns / 8);
  if (part > 3) at += width == 256 ? ck_lines(columns / 16) : ck_lines(columns / 8);
  if (part > 4) at += ck_lines(columns / group * 4);
  return at;
}

/// y = x W^T + bias for some tokens, wherever their rows lie.
///
/// x: [tokens] records of the width of the weights' type, 64-aligned. y: [tokens] rows of F32.
/// bias: [rows] or null. panel: the records of x as `interleave` writes them, or null: then each call
/// interleaves for itself. With a panel there are at most CK_PRODUCT_TOKENS tokens.
typedef struct {
  ck_weights weights;
  const void *panel;
  const void *const *x;
  float *const *y;
  const float *bias;
  size_t tokens;
} ck_product_job;

enum { CK_SILU = 0, CK_CLAMPED_SWIGLU = 1 };

/// h = activation(x gate^T + gate_bias, x up^T + up_bias), written as records of `out_width` for the
/// product that follows (0: F32). gate and up have the same shape. out: [tokens] records of `rows` numbers.
typedef struct {
  ck_weights gate;
  ck_weights up;
  const void *gate_panel;
  const void *up_panel;
  const void *const *gate_x;
  const void *const *up_x;
  const float *gate_bias;
  const float *up_bias;
  void *const *out;
  size_t out_width;
  size_t tokens;
  int activation;
  float alpha;
  float limit;
} ck_gated_job;

/// Tokens that one call of a product takes at most: more do not share the second-level cache.
enum { CK_PRODUCT_TOKENS = 128 };

/// Bytes of the panel of CK_PRODUCT_TOKENS tokens.
static inline size_t ck_panel_bytes(uint32_t element_type, size_t columns) {
  return CK_PRODUCT_TOKENS * ck_record_offset(columns, ck_activation_width(element_type), CK_RECORD_END);
}

/// Bytes of scratch that `product` needs: a packed tile and a panel.
static inline size_t ck_product_scratch(uint32_t element_type, size_t columns) {
  return ck_lines(ck_tile_bytes(element_type, columns)) + ck_panel_bytes(element_type, columns);
}

/// Bytes of scratch that `gated_product` needs: the results of gate and up, and what their products need.
static inline size_t ck_gated_scratch(const ck_weights *gate, const ck_weights *up) {
  return 2 * 256 * 4 * (size_t)CK_PRODUCT_TOKENS + ck_product_scratch(gate->element_type, gate->columns) +
         ck_product_scratch(up->element_type, up->columns);
}
