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

/// The transposed product y[t][c] = sum over rows r, ascending, of x[t][r] * W[r][c].
///
/// weights: [rows, columns] in `element_type` (a ggml type number), `row_bytes` apart.
/// x: [tokens, rows] F32, `x_stride` floats apart. y: [tokens, columns] F32, `y_stride` floats apart.
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
  uint32_t element_type;
} ck_transposed_job;

/// Attention of some tokens' queries over the cache of one key-value head. What it computes is written
/// down at the top of body/attention.h.
///
/// A row is a token and one of the `group` query heads that share the key-value head: row = token * group
/// + head. Token t stands at position + t and sees the positions up to its own, the last `window` of them
/// (0: all). queries: [tokens, group, key_length], `query_stride` floats from token to token; out: [tokens,
/// group, value_length], `out_stride` likewise.
/// keys: those of position p at keys + (p - origin) * key_stride bytes, `key_length` numbers of `cache_type`
/// (F32, F16 or Q8_0, the last in whole blocks); the rows up to the next multiple of sixteen positions must be
/// readable. values likewise; null: a value is the first `value_length` numbers of its key. `origin` is a
/// multiple of CK_ATTENTION_BLOCK. key_tiles: where not null, the keys instead, [tiles][key_length]
/// [CK_ATTENTION_TILE] F32, the first tile at `origin`.
/// sinks: one more logit for each head of the group, or null.
/// state: two floats for each head, `state_stride` from token to token: what a call that ends with
/// CK_ATTENTION_SUSPEND leaves, together with `out`, for the next one; else null.
typedef struct {
  const float *queries;
  size_t query_stride;
  float *out;
  size_t out_stride;
  float *state;
  size_t state_stride;
  const float *sinks;
  size_t group;
  size_t position;
  size_t window;
  const uint8_t *keys;
  size_t key_stride;
  size_t key_length;
  const float *key_tiles;
  const uint8_t *values;
  size_t value_stride;
  size_t value_length;
  size_t origin;
  uint32_t cache_type;
  float scale;
} ck_attention_job;

/// Positions whose scores share a maximum; part of the arithmetic. Large enough that joining blocks costs
/// nothing beside them, small enough that they spread over threads.
enum { CK_ATTENTION_BLOCK = 256 };

/// Positions that are in F32 at once, and rows of queries that a call takes at most.
enum { CK_ATTENTION_TILE = 64, CK_ATTENTION_ROWS = 128 };

/// A call goes on where the one over the blocks before it stopped; its own end is not the end.
enum { CK_ATTENTION_WHOLE = 0, CK_ATTENTION_RESUME = 1, CK_ATTENTION_SUSPEND = 2 };

/// Floats of a row of results while it grows: whole vectors, and whole blocks of Q8_0.
static inline size_t ck_attention_pitch(size_t value_length) { return (value_length + 31) / 32 * 32; }

/// Floats that `attention` leaves for one row and block where it writes partial results.
static inline size_t ck_attention_partial(size_t value_length) { return ck_attention_pitch(value_length) + 16; }

/// Floats of scratch that `attention` needs for `rows` rows.
static inline size_t ck_attention_scratch(size_t rows, size_t key_length, size_t value_length) {
  size_t keys = (key_length + 31) / 32 * 32, values = ck_attention_pitch(value_length);
  return CK_ATTENTION_TILE * (keys + values) + rows * (keys + 2 * values + CK_ATTENTION_BLOCK + 4);
}

/// The kernels of one instruction set.
typedef struct {
  const char *name;
  /// count elements (whole blocks) of a ggml type to F32. Returns 0, or -1 for a type without a kernel.
  int (*dequantize)(uint32_t element_type, const void *source, float *destination, size_t count);
  /// F32 to a cache type (F32, F16, Q8_0). Returns 0, or -1 for another type.
  int (*store_row)(uint32_t element_type, const float *source, void *destination, size_t count);
  /// A transposed product. scratch: `columns` floats. Returns 0, or -1 for a type without a kernel.
  int (*transposed_product)(const ck_transposed_job *job, float *scratch);
  /// Rows row_begin ..< row_end (at most CK_ATTENTION_ROWS) over the blocks block_begin ..< block_end.
  /// partials null: results go to `out`, `stage` says whether the blocks begin or end there. Else each
  /// block's own result goes to partials [blocks][rows][ck_attention_partial], for `attention_merge`.
  /// scratch: `ck_attention_scratch` floats, 64-aligned. Returns 0, or -1 for a type without a kernel.
  int (*attention)(const ck_attention_job *job, size_t row_begin, size_t row_end, size_t block_begin,
                   size_t block_end, int stage, float *partials, float *scratch);
  /// Rows of a cache into a tile [columns][CK_ATTENTION_TILE], as for keys. Returns 0, or -1.
  int (*fill_tile)(uint32_t cache_type, const void *rows, size_t stride, size_t count, size_t columns,
                   float *tile);
  /// A tile of keys made of a tile of latents: keys[d] = fma over c ascending of (weights[d][c], latents[c],
  /// keys[d]) from +0 for each of the `plain` rows of weights [plain, latent], then the `rotary` rows
  /// behind the latents as they are.
  void (*expand_tile)(const float *weights, size_t plain, size_t latent, size_t rotary, const float *latents,
                      float *keys);
  /// A matrix [rows, columns] to F32 [columns, rows]. scratch: 16 * (columns + 16) floats. Returns 0, or -1.
  int (*transpose)(uint32_t element_type, const void *source, size_t row_bytes, size_t rows, size_t columns,
                   float *destination, float *scratch);
  /// Joins the partial results of the rows row_begin ..< row_end, ascending, and writes rows from ..< to
  /// of them to `out`. Overwrites the partials of these rows.
  void (*attention_merge)(const ck_attention_job *job, size_t row_begin, size_t row_end, size_t from,
                          size_t to, size_t block_begin, size_t block_end, float *partials);
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
  /// The panel of at most CK_PRODUCT_TOKENS records: `tokens` times `record_bytes` bytes.
  void (*interleave)(const void *const *x, size_t tokens, size_t record_bytes, void *panel);
  /// Tiles tile_begin ..< tile_end of one product. scratch: `ck_product_scratch` bytes, 64-aligned.
  /// Returns 0, or -1 for a type without a kernel.
  int (*product)(const ck_product_job *job, size_t tile_begin, size_t tile_end, void *scratch);
  /// Tiles tile_begin ..< tile_end of a gated product. Where `out_width` is not 0, tile_begin is a
  /// multiple of out_width / 16, and tile_end too or the last tile. scratch: `ck_gated_scratch` bytes.
  int (*gated_product)(const ck_gated_job *job, size_t tile_begin, size_t tile_end, void *scratch);
  /// iterations times 24 independent products of 64 byte pairs: what int8 arithmetic costs at most.
  /// Null in plain C, where a compiler decides how it is done.
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
