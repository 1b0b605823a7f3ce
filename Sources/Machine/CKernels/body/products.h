// Products of packed weights with records of activations: which kernel takes which tokens.
//
// A kernel multiplies one packed tile of sixteen rows with a few tokens; their number is a constant of the
// kernel, so that all sums stay in registers. A tile is taken by all tokens before the next one is touched:
// it then lies in a near cache, and only the first tokens wait for memory.

#define CK_UNROLL _Pragma("clang loop unroll(full)")
#define CK_TOKENS CK_UNROLL for (int t = 0; t < tokens; t++)

/// Tokens of a kernel at most: their sums fit the registers beside the weights.
enum { CK_TOKENS_AT_ONCE = CK_VECTOR_BITS == 512 ? 12 : 4 };

/// Word `byte` / 4 of token t's record in a panel.
CK_INLINE const uint8_t *word_of(const uint8_t *panel, int tokens, int t, size_t byte) {
  return panel + byte * (size_t)tokens + 4 * (size_t)t;
}


/// Sixteen half floats as F32.
CK_INLINE v16 load_halves(const uint8_t *p) {
  float f[16];
  halves_to_floats(p, f);
  return CK_LOAD(f);
}

/// How far ahead of a tile's first tokens memory is asked, in bytes. Measured on a Zen 5 from 4096 to
/// 24576: below 8192 four tokens wait for memory (half the speed), beyond 16384 one token gets slower.
CK_INLINE size_t bytes_ahead(size_t tokens) { return tokens <= 2 ? 8192 : 12288; }

/// Asks memory for what a tile's first tokens will need soon.
CK_INLINE void ask_ahead(const uint8_t *p, int bytes) {
  CK_UNROLL for (int i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 3);
}

#include "products_unpack.h"
#include "products_k.h"
#include "products_32.h"
#include "products_float.h"

/// tile: packed. x: the tokens' panel. results: for each token a vector of sixteen rows. ahead: how far
/// ahead memory is to be asked, in bytes; 0: the tile is in a cache already.
typedef void (*tile_kernel)(const uint8_t *tile, const uint8_t *x, size_t columns, size_t ahead, v16 *results);

#define CK_KERNEL(body, type, tokens)                                                      \
  static void body##_##type##_##tokens(const uint8_t *tile, const uint8_t *x,              \
                                       size_t columns, size_t ahead, v16 *results) {       \
    body(type, tokens, tile, x, columns, ahead, results);                                  \
  }
#define CK_FOUR_TOKENS(F, body, type) F(body, type, 1) F(body, type, 2) F(body, type, 3) F(body, type, 4)
#if CK_VECTOR_BITS == 512
#define CK_EACH_TOKENS(F, body, type)                                                      \
  CK_FOUR_TOKENS(F, body, type)                                                            \
  F(body, type, 5) F(body, type, 6) F(body, type, 7) F(body, type, 8)                      \
  F(body, type, 9) F(body, type, 10) F(body, type, 11) F(body, type, 12)
#else
#define CK_EACH_TOKENS CK_FOUR_TOKENS
#endif
#define CK_EACH_TYPE(F)                                                                    \
  F(k_tile, 10) F(k_tile, 11) F(k_tile, 12) F(k_tile, 13) F(k_tile, 14) F(k_tile, 23)      \
  F(small_tile, 2) F(small_tile, 3) F(small_tile, 6) F(small_tile, 7) F(small_tile, 8)     \
  F(small_tile, 20) F(small_tile, 39) F(float_tile, 0) F(float_tile, 1) F(float_tile, 30)
#define CK_KERNELS_OF(body, type) CK_EACH_TOKENS(CK_KERNEL, body, type)
CK_EACH_TYPE(CK_KERNELS_OF)

/// The kernel of a type for a number of tokens, or null for a type without kernels.
static tile_kernel tile_kernel_of(uint32_t element_type, size_t tokens) {
#define CK_KERNEL_NAME(body, type, tokens) body##_##type##_##tokens,
#define CK_KERNEL_CASE(body, type)                                                      \
  case type: {                                                                          \
    static const tile_kernel kernels[] = {CK_EACH_TOKENS(CK_KERNEL_NAME, body, type)};  \
    return kernels[tokens - 1];                                                         \
  }
  switch (element_type) {
    CK_EACH_TYPE(CK_KERNEL_CASE)
  default: return NULL;
  }
}

/// Floats of the results of gate and of up: 256 rows of as many tokens as there may be.
enum { CK_RESULT_FLOATS = 256 * CK_PRODUCT_TOKENS };

/// Rows of a tile that the matrix has.
CK_INLINE size_t tile_rows(size_t rows, size_t tile) {
  size_t left = rows - tile * CK_TILE_ROWS;
  return left < CK_TILE_ROWS ? left : CK_TILE_ROWS;
}

/// Tokens that the kernels take together: nearly equal shares, so that no kernel gets a small rest.
CK_INLINE size_t share_count(size_t tokens) { return (tokens + CK_TOKENS_AT_ONCE - 1) / CK_TOKENS_AT_ONCE; }

/// Records into a panel: the tokens of a share word by word beside each other, share after share. What a
/// kernel broadcasts one after the other then lies so in memory.
static void interleave(const void *const *x, size_t tokens, size_t record_bytes, void *panel) {
  size_t shares = share_count(tokens), words = record_bytes / 4;
  uint32_t *out = panel;
  for (size_t i = 0; i < shares; i++) {
    size_t begin = i * tokens / shares, taken = (i + 1) * tokens / shares - begin;
    for (size_t t = 0; t < taken; t++) {
      const uint32_t *record = x[begin + t];
      for (size_t w = 0; w < words; w++) out[w * taken + t] = record[w];
    }
    out += words * taken;
  }
}

/// The panel of some tokens: the one that is given, the record itself where there is one token, or one
/// that is made in `space`.
static const uint8_t *panel_of(const ck_weights *weights, const void *given, const void *const *x, size_t tokens,
                               void *space) {
  if (given || tokens == 1) return given ? given : x[0];
  size_t width = ck_activation_width(weights->element_type);
  interleave(x, tokens, ck_record_offset(weights->columns, width, CK_RECORD_END), space);
  return space;
}

/// One tile times `tokens` tokens. y: the tile's first row, of each token `y_offset` floats into y[t].
static void tile_product(const ck_weights *weights, const uint8_t *tile, const float *bias, size_t rows,
                         const uint8_t *panel, float *const *y, size_t y_offset, size_t tokens) {
  v16 results[CK_TOKENS_AT_ONCE], added = {};
  if (bias) added = rows == CK_TILE_ROWS ? CK_LOAD(bias) : load_tail(bias, rows);
  size_t width = ck_activation_width(weights->element_type), shares = share_count(tokens);
  size_t bytes = ck_record_offset(weights->columns, width, CK_RECORD_END);
  for (size_t i = 0; i < shares; i++) {
    size_t begin = i * tokens / shares, taken = (i + 1) * tokens / shares - begin;
    tile_kernel kernel = tile_kernel_of(weights->element_type, taken);
    kernel(tile, panel + begin * bytes, weights->columns, i == 0 ? bytes_ahead(taken) : 0, results);
    for (size_t t = 0; t < taken; t++) {
      v16 r = bias ? results[t] + added : results[t];
      float *out = y[begin + t] + y_offset;
      if (rows == CK_TILE_ROWS) CK_STORE(out, r);
      else store_tail(out, r, rows);
    }
  }
}

/// The packed tile of a matrix, packed into `scratch` where the matrix is not. Null for a type without
/// a packed layout.
static const uint8_t *packed_tile(const ck_weights *weights, size_t tile, void *scratch) {
  if (weights->packed)
    return (const uint8_t *)weights->packed + tile * ck_tile_bytes(weights->element_type, weights->columns);
  return pack_tile(weights, tile, scratch) == 0 ? scratch : NULL;
}

static int product(const ck_product_job *job, size_t tile_begin, size_t tile_end, void *scratch) {
  const ck_weights *w = &job->weights;
  if (!tile_kernel_of(w->element_type, 1)) return -1;
  void *space = (uint8_t *)scratch + ck_lines(ck_tile_bytes(w->element_type, w->columns));
  for (size_t t0 = 0; t0 < job->tokens; t0 += CK_PRODUCT_TOKENS) {
    size_t tokens = job->tokens - t0 < CK_PRODUCT_TOKENS ? job->tokens - t0 : CK_PRODUCT_TOKENS;
    const uint8_t *panel = panel_of(w, job->panel, job->x + t0, tokens, space);
    for (size_t tile = tile_begin; tile < tile_end; tile++) {
      const uint8_t *packed = packed_tile(w, tile, scratch);
      if (!packed) return -1;
      size_t row = tile * CK_TILE_ROWS;
      tile_product(w, packed, job->bias ? job->bias + row : NULL, tile_rows(w->rows, tile), panel, job->y + t0, row,
                   tokens);
    }
  }
  return 0;
}

/// Tiles tile_begin ..< tile_end of `weights` times tokens into results, `stride` floats a token.
static int run_product(const ck_weights *weights, const float *bias, const uint8_t *panel, size_t tokens,
                       size_t tile_begin, size_t tile_end, float *results, size_t stride, void *scratch) {
  float *rows[CK_PRODUCT_TOKENS];
  for (size_t t = 0; t < tokens; t++) rows[t] = results + t * stride;
  for (size_t tile = tile_begin; tile < tile_end; tile++) {
    const uint8_t *packed = packed_tile(weights, tile, scratch);
    if (!packed) return -1;
    size_t row = tile * CK_TILE_ROWS;
    tile_product(weights, packed, bias ? bias + row : NULL, tile_rows(weights->rows, tile), panel, rows,
                 row - tile_begin * CK_TILE_ROWS, tokens);
  }
  return 0;
}

/// Where a gated product's parts lie in its scratch.
typedef struct {
  float *gate, *up;           // results
  const uint8_t *gate_panel, *up_panel;
  void *tile;
  size_t stride;              // floats from token to token of the results: whole blocks
} gated_space;

static gated_space gated_space_of(const ck_gated_job *job, size_t t0, size_t tokens, void *scratch) {
  gated_space space = {.gate = scratch, .stride = CK_RESULT_FLOATS / tokens / 256 * 256};
  space.up = space.gate + CK_RESULT_FLOATS;
  uint8_t *gate_panel = (uint8_t *)(space.up + CK_RESULT_FLOATS);
  uint8_t *up_panel = gate_panel + ck_panel_bytes(job->gate.element_type, job->gate.columns);
  space.tile = up_panel + ck_panel_bytes(job->up.element_type, job->up.columns);
  space.gate_panel = panel_of(&job->gate, job->gate_panel, job->gate_x + t0, tokens, gate_panel);
  space.up_panel = job->up_x == job->gate_x
                       ? space.gate_panel
                       : panel_of(&job->up, job->up_panel, job->up_x + t0, tokens, up_panel);
  return space;
}

/// Tiles first ..< last for tokens t0 ..< t0 + tokens: gate and up, then what becomes of them while they lie
/// in the second-level cache.
static int gated_run(const ck_gated_job *job, const gated_space *space, size_t first, size_t last, size_t t0,
                     size_t tokens) {
  float *gate = space->gate, *up = space->up;
  const size_t stride = space->stride;
  if (run_product(&job->gate, job->gate_bias, space->gate_panel, tokens, first, last, gate, stride, space->tile) ||
      run_product(&job->up, job->up_bias, space->up_panel, tokens, first, last, up, stride, space->tile))
    return -1;
  size_t rows = job->gate.rows, row = first * CK_TILE_ROWS;
  size_t end = last * CK_TILE_ROWS < rows ? last * CK_TILE_ROWS : rows;
  size_t block = job->out_width ? job->out_width : 1;
  for (size_t t = 0; t < tokens; t++) {
    float *h = gate + t * stride;
    if (job->activation == CK_SILU) silu_multiply(h, up + t * stride, end - row);
    else clamped_swiglu(h, up + t * stride, job->alpha, job->limit, end - row);
    const float *whole = (const float *)((uintptr_t)h - row * sizeof(float));  // where the row would begin
    quantize(whole, rows, job->out_width, row / block, end / block, job->out[t0 + t]);
  }
  return 0;
}

/// Gate and up alternate in runs of tiles as long as their results have room: memory streams best from one
/// place, and each change costs about 0.4 microseconds.
static int gated_product(const ck_gated_job *job, size_t tile_begin, size_t tile_end, void *scratch) {
  if (!tile_kernel_of(job->gate.element_type, 1) || !tile_kernel_of(job->up.element_type, 1)) return -1;
  for (size_t t0 = 0; t0 < job->tokens; t0 += CK_PRODUCT_TOKENS) {
    size_t tokens = job->tokens - t0 < CK_PRODUCT_TOKENS ? job->tokens - t0 : CK_PRODUCT_TOKENS;
    gated_space space = gated_space_of(job, t0, tokens, scratch);
    size_t run = space.stride / CK_TILE_ROWS;
    for (size_t first = tile_begin; first < tile_end; first += run) {
      size_t last = first + run < tile_end ? first + run : tile_end;
      if (gated_run(job, &space, first, last, t0, tokens)) return -1;
    }
  }
  return 0;
}
