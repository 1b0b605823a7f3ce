// What attention is made of: tiles of keys and values in F32, scores of a tile, weighted sums of a tile.
//
// A tile is CK_ATTENTION_TILE positions. Its keys lie column by column, [columns][positions], so that
// sixteen positions' scores grow in the lanes of one vector and no sum crosses lanes; its values lie
// position by position, [positions][columns], so that sixteen columns of the result do. A tile is read
// from the cache once for all rows of queries of a call and stays in the caches next to the core:
// 32 KiB for keys of 128 numbers, 144 KiB for latents of 576.

/// Query rows and vectors of positions (or columns) whose sums fit the registers together.
#if CK_VECTOR_BITS == 512
#define CK_ATTENTION_ROW_TILE 6
#define CK_ATTENTION_LANE_TILE 4
#elif CK_VECTOR_BITS == 256
#define CK_ATTENTION_ROW_TILE 6
#define CK_ATTENTION_LANE_TILE 1
#else
#define CK_ATTENTION_ROW_TILE 2
#define CK_ATTENTION_LANE_TILE 1
#endif

typedef uint64_t l8x __attribute__((vector_size(64)));
typedef uint32_t u4u __attribute__((vector_size(16), aligned(1), may_alias));

/// Asks for what lies a tile behind: with every 16 bytes of sixteen rows, as many bytes of the next tile. What a
/// tile computes takes about as long as its successor takes to arrive.
CK_INLINE void prefetch_behind(const uint8_t *rows, size_t stride, size_t done) {
  const uint8_t *at = rows + CK_ATTENTION_TILE * stride + 16 * done;
  for (size_t b = 0; b < 256; b += 64) __builtin_prefetch(at + b, 0, 2);
}

/// The 16 bytes at the beginning of sixteen rows, `stride` bytes apart: words[m] becomes word m of every row.
CK_INLINE void transpose_words(const uint8_t *rows, size_t stride, u16x *words) {
  u16x x[4];
  const uint8_t *r4 = rows + 4 * stride, *r8 = rows + 8 * stride, *r12 = rows + 12 * stride;
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 4; i++) {
    u4u a = *(const u4u *)(rows + i * stride), b = *(const u4u *)(r4 + i * stride);
    u4u c = *(const u4u *)(r8 + i * stride), d = *(const u4u *)(r12 + i * stride);
    typedef uint32_t u8w __attribute__((vector_size(32)));
    u8w ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
    u8w cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
    x[i] = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }
#define CK_LOW(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define CK_HIGH(a, b) \
  __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
  l8x l0 = (l8x)CK_LOW(x[0], x[1]), h0 = (l8x)CK_HIGH(x[0], x[1]);
  l8x l1 = (l8x)CK_LOW(x[2], x[3]), h1 = (l8x)CK_HIGH(x[2], x[3]);
#undef CK_LOW
#undef CK_HIGH
  words[0] = (u16x)__builtin_shufflevector(l0, l1, 0, 8, 2, 10, 4, 12, 6, 14);
  words[1] = (u16x)__builtin_shufflevector(l0, l1, 1, 9, 3, 11, 5, 13, 7, 15);
  words[2] = (u16x)__builtin_shufflevector(h0, h1, 0, 8, 2, 10, 4, 12, 6, 14);
  words[3] = (u16x)__builtin_shufflevector(h0, h1, 1, 9, 3, 11, 5, 13, 7, 15);
}

/// The halves of sixteen words: columns 2 m and 2 m + 1 of sixteen positions.
CK_INLINE void halves_of_words(u16x words, float *even, float *odd) {
#if CK_HARDWARE_HALF
  typedef _Float16 f16x __attribute__((vector_size(32)));
  typedef uint16_t halves __attribute__((vector_size(64)));
  halves h = (halves)words;
  halves s = __builtin_shufflevector(h, h, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 1, 3, 5, 7, 9,
                                  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  f16x e = (f16x)__builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  f16x o = (f16x)__builtin_shufflevector(s, s, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
  CK_STORE(even, __builtin_convertvector(e, v16));
  CK_STORE(odd, __builtin_convertvector(o, v16));
#else
  for (int i = 0; i < 16; i++) {
    even[i] = half_to_float((uint16_t)words[i]);
    odd[i] = half_to_float((uint16_t)(words[i] >> 16));
  }
#endif
}

/// Sixteen positions' keys, `columns` numbers each, into sixteen lanes of a tile.
CK_INLINE void keys_f32(const uint8_t *rows, size_t stride, size_t columns, float *tile) {
  size_t c = 0;
  for (; c + 4 <= columns; c += 4) {
    u16x words[4];
    prefetch_behind(rows, stride, 4 * c);
    transpose_words(rows + 4 * c, stride, words);
#pragma clang loop unroll(full)
    for (int m = 0; m < 4; m++) CK_STORE(tile + (c + (size_t)m) * CK_ATTENTION_TILE, (v16)words[m]);
  }
  for (; c < columns; c++)
    for (size_t i = 0; i < 16; i++) memcpy(tile + c * CK_ATTENTION_TILE + i, rows + i * stride + 4 * c, 4);
}

CK_INLINE void keys_f16(const uint8_t *rows, size_t stride, size_t columns, float *tile) {
  size_t c = 0;
  for (; c + 8 <= columns; c += 8) {
    u16x words[4];
    prefetch_behind(rows, stride, 2 * c);
    transpose_words(rows + 2 * c, stride, words);
#pragma clang loop unroll(full)
    for (int m = 0; m < 4; m++) {
      float *to = tile + (c + 2 * (size_t)m) * CK_ATTENTION_TILE;
      halves_of_words(words[m], to, to + CK_ATTENTION_TILE);
    }
  }
  for (; c < columns; c++)
    for (size_t i = 0; i < 16; i++) tile[c * CK_ATTENTION_TILE + i] = read_half(rows + i * stride + 2 * c);
}

/// Whole blocks of 32, those that begin before `columns`: a tile has room for them.
CK_INLINE void keys_q8_0(const uint8_t *rows, size_t stride, size_t columns, float *tile) {
  for (size_t c = 0; c < columns; c += 32) {
    const uint8_t *blocks = rows + c / 32 * 34;
    float scales[16];
    for (size_t i = 0; i < 16; i++) scales[i] = read_half(blocks + i * stride);
    v16 d = CK_LOAD(scales);
    for (size_t part = 0; part < 32; part += 16) {
      u16x words[4];
      prefetch_behind(rows, stride, c + part);
      transpose_words(blocks + 2 + part, stride, words);
#pragma clang loop unroll(full)
      for (int m = 0; m < 4; m++)
#pragma clang loop unroll(full)
        for (int k = 0; k < 4; k++) {
          i16x q = (i16x)(words[m] << (24 - 8 * k)) >> 24;
          CK_STORE(tile + (c + part + 4 * (size_t)m + (size_t)k) * CK_ATTENTION_TILE, CK_FLOATS(q) * d);
        }
    }
  }
}

/// Keys of `count` positions (at most a tile) from `rows` on, [columns][CK_ATTENTION_TILE], in whole groups
/// of sixteen: what lies behind the last position is read too, and nobody reads its scores.
static int fill_tile(uint32_t type, const void *rows, size_t stride, size_t count, size_t columns, float *tile) {
  for (size_t j = 0; j < count; j += 16) {
    const uint8_t *at = (const uint8_t *)rows + j * stride;
    switch (type) {
    case 0: keys_f32(at, stride, columns, tile + j); break;
    case 1: keys_f16(at, stride, columns, tile + j); break;
    case 8: keys_q8_0(at, stride, columns, tile + j); break;
    default: return -1;
    }
  }
  return 0;
}

/// Values of `count` positions, [positions][pitch]; numbers beyond those stored are zeros.
static int fill_values(uint32_t type, const uint8_t *rows, size_t stride, size_t count, size_t stored, size_t pitch,
                       float *tile) {
  if (type == 1 && stored == pitch) {
    for (size_t j = 0; j < count; j++)
      for (size_t c = 0; c < pitch; c += 16) halves_to_floats(rows + j * stride + 2 * c, tile + j * pitch + c);
    return 0;
  }
  for (size_t j = 0; j < count; j++)
    if (dequantize_padded(type, rows + j * stride, tile + j * pitch, stored, pitch)) return -1;
  return 0;
}

/// Bytes of `count` numbers of a cache type.
CK_INLINE size_t cache_bytes(uint32_t type, size_t count) {
  return type == 0 ? 4 * count : type == 1 ? 2 * count : (count + 31) / 32 * 34;
}

/// Memory that is needed next: asked for little by little, `step` bytes with each column or position, so that
/// it arrives while this tile is computed.
typedef struct {
  const uint8_t *at;
  size_t step;
} next_bytes;

CK_INLINE void prefetch_next(next_bytes next, size_t i) {
  __builtin_prefetch(next.at + i * next.step, 0, 2);
  __builtin_prefetch(next.at + i * next.step + 64, 0, 2);
}

/// scores[r][lanes] = sum over columns c, ascending, of queries[r][c] * keys[c][lanes]; rows of scores are
/// `pitch` apart.
/// Reads per column: `vectors` vectors and `rows` single numbers for rows * vectors multiply-adds.
CK_INLINE void score_tile(size_t rows, size_t vectors, const float *queries, size_t query_pitch, const float *keys,
                          size_t columns, next_bytes next, float *scores, size_t pitch) {
  v16 s[CK_ATTENTION_ROW_TILE][CK_ATTENTION_LANE_TILE];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (size_t l = 0; l < vectors; l++) s[r][l] = (v16){};
  for (size_t c = 0; c < columns; c++) {
    prefetch_next(next, c);
    v16 k[CK_ATTENTION_LANE_TILE];
#pragma clang loop unroll(full)
    for (size_t l = 0; l < vectors; l++) k[l] = CK_LOAD(keys + c * CK_ATTENTION_TILE + 16 * l);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
      v16 q = CK_SPLAT(queries[r * query_pitch + c]);
#pragma clang loop unroll(full)
      for (size_t l = 0; l < vectors; l++) s[r][l] = CK_FMA(q, k[l], s[r][l]);
    }
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (size_t l = 0; l < vectors; l++) CK_STORE(scores + r * pitch + 16 * l, s[r][l]);
}

/// Sixteen columns of a row of values, from a multiple of sixteen on.
CK_INLINE v16 sixteen_values(uint32_t type, const uint8_t *row, size_t column) {
  if (type == 0) return CK_LOAD(row + 4 * column);
  float numbers[16];
  if (type == 1) {
    halves_to_floats(row + 2 * column, numbers);
    return CK_LOAD(numbers);
  }
  const uint8_t *block = row + column / 32 * 34;
  return CK_FLOATS(*(const s16u *)(block + 2 + column % 32)) * CK_SPLAT(read_half(block));
}

/// sums[r][lanes] += sum over positions j, ascending in begin ..< end, of weights[r][j] * values[j][lanes].
/// values: rows of `type`, from column 0 on; the lanes begin at `column`.
CK_INLINE void value_tile(size_t rows, size_t vectors, uint32_t type, const float *weights, const uint8_t *values,
                          size_t stride, size_t column, size_t begin, size_t end, size_t ahead, float *sums,
                          size_t sum_pitch) {
  v16 s[CK_ATTENTION_ROW_TILE][CK_ATTENTION_LANE_TILE];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (size_t l = 0; l < vectors; l++) s[r][l] = CK_LOAD(sums + r * sum_pitch + 16 * l);
  for (size_t j = begin; j < end; j++) {
    const uint8_t *row = values + j * stride;
    if (type != 0) prefetch_next((next_bytes){row + ahead + cache_bytes(type, column), 0}, 0);
    v16 v[CK_ATTENTION_LANE_TILE];
#pragma clang loop unroll(full)
    for (size_t l = 0; l < vectors; l++) v[l] = sixteen_values(type, row, column + 16 * l);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
      v16 p = CK_SPLAT(weights[r * CK_ATTENTION_BLOCK + j]);
#pragma clang loop unroll(full)
      for (size_t l = 0; l < vectors; l++) s[r][l] = CK_FMA(p, v[l], s[r][l]);
    }
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (size_t l = 0; l < vectors; l++) CK_STORE(sums + r * sum_pitch + 16 * l, s[r][l]);
}

/// Calls `tile(rows, vectors, ...)` with both counts known to the compiler.
#define CK_ROWS_CASE(tile, n, vectors, ...) \
  case n: tile(n, vectors, __VA_ARGS__); break;
#if CK_ATTENTION_ROW_TILE == 6
#define CK_FOR_ROWS(tile, rows, vectors, ...)     \
  switch (rows) {                                 \
    CK_ROWS_CASE(tile, 1, vectors, __VA_ARGS__)   \
    CK_ROWS_CASE(tile, 2, vectors, __VA_ARGS__)   \
    CK_ROWS_CASE(tile, 3, vectors, __VA_ARGS__)   \
    CK_ROWS_CASE(tile, 4, vectors, __VA_ARGS__)   \
    CK_ROWS_CASE(tile, 5, vectors, __VA_ARGS__)   \
    CK_ROWS_CASE(tile, 6, vectors, __VA_ARGS__)   \
  }
#else
#define CK_FOR_ROWS(tile, rows, vectors, ...)     \
  switch (rows) {                                 \
    CK_ROWS_CASE(tile, 1, vectors, __VA_ARGS__)   \
    CK_ROWS_CASE(tile, 2, vectors, __VA_ARGS__)   \
  }
#endif

/// Scores of `rows` query rows (at most CK_ATTENTION_ROW_TILE) with the lanes begin ..< end of a tile,
/// whole vectors of them.
static void scores_of_rows(size_t rows, const float *queries, size_t query_pitch, const float *keys, size_t columns,
                           size_t begin, size_t end, next_bytes next, float *scores, size_t pitch) {
  size_t j = begin / 16 * 16;
  for (; j + 16 * CK_ATTENTION_LANE_TILE <= (end + 15) / 16 * 16; j += 16 * CK_ATTENTION_LANE_TILE)
    CK_FOR_ROWS(score_tile, rows, CK_ATTENTION_LANE_TILE, queries, query_pitch, keys + j, columns, next,
                scores + j, pitch)
#if CK_ATTENTION_LANE_TILE > 1
  for (; j < end; j += 16)
    CK_FOR_ROWS(score_tile, rows, 1, queries, query_pitch, keys + j, columns, next, scores + j, pitch)
#endif
}

/// Rows of values: of a tile in F32, or where they lie in the cache.
typedef struct {
  const uint8_t *rows;
  size_t stride, columns;
  uint32_t type;
  size_t ahead;
} value_rows;

/// Weighted sums of `rows` rows over the positions begin ..< end of a tile, all columns.
static void values_of_rows(size_t rows, const float *weights, const value_rows *v, size_t begin, size_t end,
                           float *sums, size_t pitch) {
#define CK_VALUES(type, vectors)                                                                                 \
  for (; c + 16 * vectors <= v->columns; c += 16 * vectors)                                                      \
    CK_FOR_ROWS(value_tile, rows, vectors, type, weights, v->rows, v->stride, c, begin, end, v->ahead, sums + c, \
                pitch)
#if CK_ATTENTION_LANE_TILE > 1
#define CK_ALL_VALUES(type) CK_VALUES(type, CK_ATTENTION_LANE_TILE) CK_VALUES(type, 1)
#else
#define CK_ALL_VALUES(type) CK_VALUES(type, 1)
#endif
  size_t c = 0;
  switch (v->type) {
  case 0: CK_ALL_VALUES(0) break;
  case 1: CK_ALL_VALUES(1) break;
  case 8: CK_ALL_VALUES(8) break;
  }
#undef CK_ALL_VALUES
#undef CK_VALUES
}

static void expand_tile(const float *weights, size_t plain, size_t latent, size_t rotary, const float *latents,
                        float *keys) {
  for (size_t d = 0; d < plain; d += CK_ATTENTION_ROW_TILE) {
    size_t n = plain - d < CK_ATTENTION_ROW_TILE ? plain - d : CK_ATTENTION_ROW_TILE;
    const float *rows = weights + d * latent;
    next_bytes next = {(const uint8_t *)(rows + n * latent), 4 * n};
    scores_of_rows(n, rows, latent, latents, latent, 0, CK_ATTENTION_TILE, next, keys + d * CK_ATTENTION_TILE,
                   CK_ATTENTION_TILE);
  }
  memcpy(keys + plain * CK_ATTENTION_TILE, latents + latent * CK_ATTENTION_TILE,
         rotary * CK_ATTENTION_TILE * sizeof(float));
}

static int transpose(uint32_t element_type, const void *source, size_t row_bytes, size_t rows, size_t columns,
                     float *destination, float *scratch) {
  size_t pitch = (columns + 15) / 16 * 16;
  for (size_t r = 0; r < rows; r += 16) {
    size_t n = rows - r < 16 ? rows - r : 16, c = 0;
    for (size_t i = 0; i < n; i++)
      if (dequantize_padded(element_type, (const uint8_t *)source + (r + i) * row_bytes, scratch + i * pitch,
                            columns, pitch))
        return -1;
    for (; n == 16 && c + 4 <= columns; c += 4) {
      u16x words[4];
      transpose_words((const uint8_t *)(scratch + c), pitch * 4, words);
      for (size_t m = 0; m < 4; m++) CK_STORE(destination + (c + m) * rows + r, (v16)words[m]);
    }
    for (; c < columns; c++)
      for (size_t i = 0; i < n; i++) destination[c * rows + r + i] = scratch[i * pitch + c];
  }
  return 0;
}
