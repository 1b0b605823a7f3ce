// Kernels of the CPU lane: one body of code, compiled for several instruction sets.
//
// Every kernel gives the same bits on every instruction set: sums run over sixteen partial sums
// (element i belongs to partial sum i mod 16, ascending, with explicit fused multiply-add) which are
// then folded 8, 4, 2, 1. A row's result never depends on the other rows of the call.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#include "ckernels_packed.h"

/// Instruction sets that the kernels are compiled for, slowest first.
enum {
  CK_ISA_PORTABLE = 0,
  CK_ISA_AVX2 = 1,
  CK_ISA_AVXVNNI = 2,
  CK_ISA_AVX512 = 3,
  CK_ISA_AVX512VNNI = 4,
  CK_ISA_COUNT = 5
};

/// A matrix product y = x W^T over a range of the rows of W.
///
/// weights: [rows, columns] in `element_type` (a ggml type number), `row_bytes` apart.
/// x: [tokens, columns] F32, `x_stride` floats apart. y: [tokens, rows] F32, `y_stride` floats apart.
/// bias: [rows] F32 or null.
typedef struct {
  const void *weights;
  size_t row_bytes;
  size_t rows;
  size_t columns;
  const float *x;
  size_t x_stride;
  size_t tokens;
  float *y;
  size_t y_stride;
  const float *bias;
  uint32_t element_type;
} ck_matmul_job;

/// Attention of a tile of query rows, all of one key-value head, over a cache of keys and values.
///
/// Row r attends to positions first[r]...last[r] (inclusive). Keys of position p lie at
/// keys + p * key_stride bytes, `key_length` values of type `cache_type` (F32, F16 or Q8_0);
/// values likewise. `values` may be null: then a value is the first `value_length` numbers of the
/// key (latent attention). A cache of blocks holds whole blocks: `key_stored` and `value_stored` numbers,
/// those beyond the length zero. queries: row r at queries + query_offset[r]; out: out + out_offset[r].
/// sinks: one extra logit per row, or null.
typedef struct {
  const float *queries;
  const size_t *query_offset;
  float *out;
  const size_t *out_offset;
  const int32_t *first;
  const int32_t *last;
  const float *sinks;
  size_t rows;
  const uint8_t *keys;
  size_t key_stride;
  size_t key_length;
  size_t key_stored;
  const uint8_t *values;
  size_t value_stride;
  size_t value_length;
  size_t value_stored;
  uint32_t cache_type;
  float scale;
} ck_attention_job;

/// Positions of the cache that attention takes in at once; part of the arithmetic.
enum { CK_ATTENTION_BLOCK = 32 };

/// Rows of weights that a matrix product turns into F32 at once, at most, and how many columns of
/// them: a tile of both weights and tokens stays in the first-level cache.
enum { CK_LARGEST_ROW_TILE = 6, CK_COLUMN_TILE = 512 };

/// Tokens whose partial sums `matmul` keeps at once.
enum { CK_TOKEN_BLOCK = 128 };

/// Floats of scratch that `matmul` and `matmul_transposed` need for `columns` columns and `tokens` tokens.
static inline size_t ck_matmul_scratch(size_t columns, size_t tokens) {
  size_t block = tokens < CK_TOKEN_BLOCK ? tokens : CK_TOKEN_BLOCK;
  size_t sums = CK_LARGEST_ROW_TILE * (block + 8) * 16;
  return CK_LARGEST_ROW_TILE * CK_COLUMN_TILE + sums + (columns + 15) / 16 * 16;
}

/// Floats of scratch that `attention` needs.
static inline size_t ck_attention_scratch(size_t rows, size_t key_stored, size_t value_stored) {
  size_t k = (key_stored + 15) / 16 * 16, v = (value_stored + 15) / 16 * 16;
  return CK_ATTENTION_BLOCK * (k + v) + rows * (v + k + 2) + CK_ATTENTION_BLOCK;
}

/// The kernels of one instruction set.
typedef struct {
  const char *name;
  /// count elements (whole blocks) of a ggml type to F32. Returns 0, or -1 for a type without a kernel.
  int (*dequantize)(uint32_t element_type, const void *source, float *destination, size_t count);
  /// F32 to a cache type (F32, F16, Q8_0). Returns 0, or -1 for another type.
  int (*store_row)(uint32_t element_type, const float *source, void *destination, size_t count);
  /// Rows row_begin ..< row_end of one product. scratch: `ck_matmul_scratch` floats.
  int (*matmul)(const ck_matmul_job *job, size_t row_begin, size_t row_end, float *scratch);
  /// The transposed product y[t][c] = sum over rows r, ascending, of x[t][r] * W[r][c].
  /// x: [tokens, rows], y: [tokens, columns]; no bias. scratch: `ck_matmul_scratch` floats.
  int (*matmul_transposed)(const ck_matmul_job *job, float *scratch);
  int (*attention)(const ck_attention_job *job, float *scratch);
  /// y = x / sqrt(mean(x^2) + epsilon) * weight. weight: [count]; y may be x.
  void (*rms_norm)(const float *x, const float *weight, float epsilon, float *y, size_t count);
  /// y[i] += scale * x[i].
  void (*add_scaled)(float *y, const float *x, float scale, size_t count);
  /// gate[i] = silu(gate[i]) * up[i].
  void (*silu_multiply)(float *gate, const float *up, size_t count);
  /// gate[i] = g sigmoid(alpha g) (u + 1), g = min(gate[i], limit), u = clamp(up[i], -limit, limit).
  void (*clamped_swiglu)(float *gate, const float *up, float alpha, float limit, size_t count);
  /// x = softmax(x).
  void (*softmax)(float *x, size_t count);
  /// Rotates the pairs of one head: (a, b) becomes (a c - b s, a s + b c) with c = cosines[i],
  /// s = sines[i]. Pair i is (x[i], x[pairs + i]) where `halves`, else (x[2 i], x[2 i + 1]).
  void (*rotate)(float *x, const float *cosines, const float *sines, size_t pairs, int halves);
  /// Reads byte_count bytes, a multiple of 1024, and folds them: what plain reading costs.
  uint32_t (*read)(const void *source, size_t byte_count);
  /// The same, each line asked for 4 KiB ahead.
  uint32_t (*read_ahead)(const void *source, size_t byte_count);
  /// iterations times 12 independent fused multiply-adds of sixteen numbers: what arithmetic costs.
  float (*multiply_add)(size_t iterations);
  /// x = 1 / (1 + exp(-x)).
  void (*sigmoid)(float *x, size_t count);
  /// Tiles tile_begin ..< tile_end of native rows into the packed layout. `packed` is the whole matrix's
  /// packed memory. Returns 0, or -1 for a type without a packed layout.
  int (*pack)(const ck_weights *weights, size_t tile_begin, size_t tile_end, void *packed);
  /// Blocks block_begin ..< block_end of `width` numbers of x into a row record. x is the whole row. For
  /// width 0 blocks are single numbers. The call with the last block fills the parts up with zeros.
  void (*quantize)(const float *x, size_t columns, size_t width, size_t block_begin, size_t block_end,
                   void *record);
  /// Tiles tile_begin ..< tile_end of one product. scratch: `ck_product_scratch` bytes, 64-aligned.
  /// Returns 0, or -1 for a type without a kernel.
  int (*product)(const ck_product_job *job, size_t tile_begin, size_t tile_end, void *scratch);
  /// Tiles tile_begin ..< tile_end of a gated product. Where `out_width` is not 0, tile_begin is a
  /// multiple of out_width / 16, and tile_end too or the last tile. scratch: `ck_gated_scratch` bytes.
  int (*gated_product)(const ck_gated_job *job, size_t tile_begin, size_t tile_end, void *scratch);
  /// iterations times 24 independent products of 64 byte pairs: what int8 arithmetic costs at most.
  /// Null where the instruction set has no such product.
  int32_t (*multiply_add_int8)(size_t iterations);
} ck_kernels;

/// The kernels of an instruction set, or null where this processor does not have it.
const ck_kernels *ck_kernels_for(int instruction_set);

/// Tells the processor that the caller spins.
static inline void ck_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#if defined(__cplusplus)
}
#endif
