// Native rows into packed tiles (layouts: ckernels_packed.h).
//
// Shape: sixteen rows of one matrix, block after block. The core is `words_of_rows`: sixteen bytes of
// each row are loaded to the place where a transposition of 4 x 4 words inside quarter vectors finishes
// the work: 12 insertions and 8 shuffles for 256 bytes. Scales are short rows of bytes or halves and
// fall out of the same words. Bytes moved: each native byte read once, each packed byte written once;
// the next tile is asked for while this one is packed, because sixteen rows are sixteen streams to the
// processor's own prefetchers.

typedef uint8_t b64 __attribute__((vector_size(64)));
typedef uint16_t halves32 __attribute__((vector_size(64)));
typedef uint32_t w4u __attribute__((vector_size(16), aligned(1), may_alias));
typedef u16x u16xu __attribute__((aligned(1), may_alias));

/// Native bytes of a block of sixteen rows: row r at bytes + r * stride; sixteen times as far ahead as a
/// place in a row, what is packed in the next tile; and how the tile is written.
typedef struct {
  const uint8_t *bytes;
  size_t stride;
  const uint8_t *ahead;
  int streams;
} ck_block_rows;

CK_INLINE ck_block_rows after(ck_block_rows s, size_t offset) {
  return (ck_block_rows){s.bytes + offset, s.stride, s.ahead + 16 * offset, s.streams};
}

/// Four words of each row, from sixteen bytes on: word w of row r becomes number r of out[w].
/// Asks for as much of the next tile as it reads of this one: many requests at once would stop the loads.
CK_INLINE void words_of_rows(ck_block_rows s, u16x out[4]) {
  u16x a[4];
  for (size_t i = 0; i < 4; i++) __builtin_prefetch(s.ahead + 64 * i);
  for (size_t i = 0; i < 4; i++) {
    typedef uint32_t w4 __attribute__((vector_size(16)));
    typedef uint32_t w8 __attribute__((vector_size(32)));
    const uint8_t *p = s.bytes + i * s.stride;
    w4 q0 = *(const w4u *)p, q1 = *(const w4u *)(p + 4 * s.stride);
    w4 q2 = *(const w4u *)(p + 8 * s.stride), q3 = *(const w4u *)(p + 12 * s.stride);
    w8 lower = __builtin_shufflevector(q0, q1, 0, 1, 2, 3, 4, 5, 6, 7);
    w8 upper = __builtin_shufflevector(q2, q3, 0, 1, 2, 3, 4, 5, 6, 7);
    a[i] = __builtin_shufflevector(lower, upper, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }
#define CK_LOW_WORDS(x, y) \
  __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define CK_HIGH_WORDS(x, y) \
  __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define CK_LOW_PAIRS(x, y) \
  __builtin_shufflevector(x, y, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define CK_HIGH_PAIRS(x, y) \
  __builtin_shufflevector(x, y, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
  u16x t0 = CK_LOW_WORDS(a[0], a[1]), t1 = CK_HIGH_WORDS(a[0], a[1]);
  u16x t2 = CK_LOW_WORDS(a[2], a[3]), t3 = CK_HIGH_WORDS(a[2], a[3]);
  out[0] = CK_LOW_PAIRS(t0, t2), out[1] = CK_HIGH_PAIRS(t0, t2);
  out[2] = CK_LOW_PAIRS(t1, t3), out[3] = CK_HIGH_PAIRS(t1, t3);
}

/// The low halves of the sixteen words, then the high ones.
CK_INLINE u16x halves_apart(u16x w) {
  halves32 h = (halves32)w;
  return (u16x)__builtin_shufflevector(h, h, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                                       1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// The first bytes of the sixteen words, then the second, the third and the fourth ones.
CK_INLINE u16x bytes_apart(u16x w) {
  b64 b = (b64)w;
  u16x quarters = (u16x)__builtin_shufflevector(
      b, b, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,
      16, 20, 24, 28, 17, 21, 25, 29, 18, 22, 26, 30, 19, 23, 27, 31,
      32, 36, 40, 44, 33, 37, 41, 45, 34, 38, 42, 46, 35, 39, 43, 47,
      48, 52, 56, 60, 49, 53, 57, 61, 50, 54, 58, 62, 51, 55, 59, 63);
  return __builtin_shufflevector(quarters, quarters, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/// Past the caches where the tile is not read soon: the line that it would be written to is not read first.
CK_INLINE void put(ck_block_rows s, uint8_t *out, u16x w) {
  if (s.streams) __builtin_nontemporal_store(w, (u16x *)out);
  else *(u16xu *)out = w;
}

/// Words from native byte `offset` on, as they are, to vectors from `out` on.
CK_INLINE void put_words(ck_block_rows s, size_t offset, size_t vectors, uint8_t *out) {
  for (size_t i = 0; i < vectors; i += 4) {
    u16x w[4];
    words_of_rows(after(s, offset + 4 * i), w);
    for (size_t k = 0; k < 4; k++) put(s, out + 64 * (i + k), w[k]);
  }
}

/// A half of each row.
CK_INLINE void put_halves(ck_block_rows s, uint8_t *out) {
  for (size_t r = 0; r < 16; r++) memcpy(out + 2 * r, s.bytes + r * s.stride, 2);
}

/// The word of each row at s.
CK_INLINE u16x single_words(ck_block_rows s) {
  u16x w;
  for (size_t r = 0; r < 16; r++) w[r] = read32(s.bytes + r * s.stride);
  return w;
}

/// Bytes minus 32.
CK_INLINE u16x minus_32(u16x w) { return (u16x)((b64)w - 32); }

// MARK: blocks of 256

/// d, dmin, scales and minimums of Q4_K and Q5_K: 320 bytes.
CK_INLINE void pack_six_bit_scales(ck_block_rows s, uint8_t *out) {
  u16x w[4];
  words_of_rows(s, w);
  u16x a = w[1], b = w[2], c = w[3];
  put(s, out, halves_apart(w[0]));
  put(s, out + 64, bytes_apart(a & 0x3f3f3f3f));
  put(s, out + 128, bytes_apart((c & 0x0f0f0f0f) | ((a >> 2) & 0x30303030)));
  put(s, out + 192, halves_apart(b & 0x3f3f3f3f));
  put(s, out + 256, halves_apart(((c >> 4) & 0x0f0f0f0f) | ((b >> 2) & 0x30303030)));
}

CK_INLINE void pack_q4_k(ck_block_rows s, uint8_t *out) {
  pack_six_bit_scales(s, out);
  put_words(s, 16, 32, out + 320);
}

CK_INLINE void pack_q5_k(ck_block_rows s, uint8_t *out) {
  pack_six_bit_scales(s, out);
  put_words(s, 16, 8, out + 320);
  put_words(s, 48, 32, out + 832);
}

/// Two bits of 32 numbers of two sub-blocks of 16, four shifts in a byte, into two vectors a group whose
/// bytes hold four sub-blocks of 16 in their order. Native shift 2 i: sub-blocks 2 i (a) and 2 i + 1 (b).
CK_INLINE void put_two_bits(ck_block_rows s, size_t offset, uint8_t *out) {
  u16x a[4], b[4];
  words_of_rows(after(s, offset), a), words_of_rows(after(s, offset + 16), b);
  for (size_t k = 0; k < 4; k++) {
    u16x even = (a[k] & 0x33333333) | ((b[k] & 0x33333333) << 2);  // i = 0 low, 2 high
    u16x odd = ((a[k] >> 2) & 0x33333333) | (b[k] & 0xcccccccc);   // i = 1 low, 3 high
    put(s, out + 64 * k, (even & 0x0f0f0f0f) | ((odd & 0x0f0f0f0f) << 4));
    put(s, out + 256 + 64 * k, ((even >> 4) & 0x0f0f0f0f) | (odd & 0xf0f0f0f0));
  }
}

CK_INLINE void pack_q2_k(ck_block_rows s, uint8_t *out) {
  u16x w[4];
  words_of_rows(s, w);
  put(s, out, halves_apart(single_words(after(s, 80))));
  for (size_t i = 0; i < 4; i++) put(s, out + 64 + 64 * i, bytes_apart(w[i]));
  for (size_t h = 0; h < 2; h++) put_two_bits(s, 16 + 32 * h, out + 320 + 512 * h);
}

/// Bits 0 ... 3 of each byte to bits 0, 2, 4, 6.
CK_INLINE u16x spread_bits(u16x x) {
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

CK_INLINE void pack_q3_k(ck_block_rows s, uint8_t *out, u16x present) {
  u16x w[4], high[2][4];
  words_of_rows(after(s, 94), w);  // two bytes early: the last half is d
  put(s, out, halves_apart(w[3] >> 16));
  u16x a = (w[0] >> 16) | (w[1] << 16), b = (w[1] >> 16) | (w[2] << 16), c = (w[2] >> 16) | (w[3] << 16);
  u16x scales[4] = {a & 0x0f0f0f0f, b & 0x0f0f0f0f, (a >> 4) & 0x0f0f0f0f, (b >> 4) & 0x0f0f0f0f};
  for (int i = 0; i < 4; i++) {
    u16x six = scales[i] | (((c >> (2 * i)) & 0x03030303) << 4);
    put(s, out + 64 + 64 * i, bytes_apart(minus_32(six) & present));
  }
  for (size_t h = 0; h < 2; h++) put_two_bits(s, 32 + 32 * h, out + 320 + 512 * h);
  words_of_rows(s, high[0]), words_of_rows(after(s, 16), high[1]);
  for (size_t k = 0; k < 4; k++)
    for (int m = 0; m < 2; m++)
      put(s, out + 1344 + 256 * m + 64 * k, spread_bits((high[0][k] >> (4 * m)) & 0x0f0f0f0f) |
                                             (spread_bits((high[1][k] >> (4 * m)) & 0x0f0f0f0f) << 1));
}

CK_INLINE void pack_q6_k(ck_block_rows s, uint8_t *out) {
  u16x w[4], last[4];
  words_of_rows(after(s, 192), w), words_of_rows(after(s, 194), last);
  put(s, out, halves_apart(last[3] >> 16));
  for (size_t i = 0; i < 4; i++) put(s, out + 64 + 64 * i, bytes_apart(w[i]));
  for (size_t i = 0; i < 4; i++) {  // 32 bytes: low nibbles of 32 numbers, high nibbles of those 64 later
    u16x a[4], b[4];
    words_of_rows(after(s, 32 * i), a), words_of_rows(after(s, 32 * i + 16), b);
    uint8_t *at = out + 320 + 1024 * (i / 2) + 256 * (i % 2);
    for (size_t k = 0; k < 4; k++) {
      put(s, at + 64 * k, (a[k] & 0x0f0f0f0f) | ((b[k] & 0x0f0f0f0f) << 4));
      put(s, at + 512 + 64 * k, ((a[k] >> 4) & 0x0f0f0f0f) | (b[k] & 0xf0f0f0f0));
    }
  }
  for (size_t h = 0; h < 2; h++) put_two_bits(s, 128 + 32 * h, out + 2368 + 512 * h);
}

CK_INLINE void pack_iq4_xs(ck_block_rows s, uint8_t *out, u16x present) {
  u16x w[4];
  words_of_rows(s, w);
  put(s, out, halves_apart(w[0] & 0xffff));
  for (int i = 0; i < 2; i++) {
    u16x four = (w[1] >> (16 * i)) & 0xffff, two = (w[0] >> (16 + 8 * i)) & 0xff;
    four = (four | (four << 8)) & 0x00ff00ff, four = (four | (four << 4)) & 0x0f0f0f0f;
    two = (two | (two << 12)) & 0x000f000f, two = (two | (two << 6)) & 0x03030303;
    put(s, out + 64 + 64 * i, bytes_apart(minus_32(four | (two << 4)) & present));
  }
  for (size_t i = 0; i < 4; i++) {  // a native byte holds numbers e and 16 + e of one sub-block
    u16x a[4], b[4];
    words_of_rows(after(s, 8 + 32 * i), a), words_of_rows(after(s, 24 + 32 * i), b);
    for (size_t k = 0; k < 4; k++) {
      put(s, out + 192 + 512 * i + 64 * k, (a[k] & 0x0f0f0f0f) | ((b[k] & 0x0f0f0f0f) << 4));
      put(s, out + 448 + 512 * i + 64 * k, ((a[k] >> 4) & 0x0f0f0f0f) | (b[k] & 0xf0f0f0f0));
    }
  }
}

// MARK: blocks of 32

/// Bit 4 g + j of each word, the fifth bit of number j of group g, to bit g of byte j.
CK_INLINE u16x fifths_by_number(u16x h) {
  u16x out = {0};
  for (int j = 0; j < 4; j++) {
    u16x x = (h >> j) & 0x11111111;
    x = (x | (x >> 3)) & 0x03030303, x = (x | (x >> 6)) & 0x000f000f, x = (x | (x >> 12)) & 0xff;
    out |= x << (8 * j);
  }
  return out;
}

/// Block `b` of a type with blocks of 32. `part` is the size of the tile's part of d, and of m.
CK_INLINE void pack_block_of_32(uint32_t type, ck_block_rows s, uint8_t *tile, size_t n, size_t part,
                                size_t b) {
  u16x w[4];
  switch (type) {
  case 2: case 20:
    put_halves(s, tile + 32 * b);
    put_words(s, 2, 4, tile + part + 256 * b);
    break;
  case 8:
    put_halves(s, tile + 32 * b);
    put_words(s, 2, 8, tile + part + 512 * b);
    break;
  case 39:
    for (size_t r = 0; r < 16; r++) tile[16 * b + r] = s.bytes[r * s.stride];
    put_words(s, 1, 4, tile + part + 256 * b);
    break;
  case 6:
    words_of_rows(s, w);
    put_halves(s, tile + 32 * b);
    put(s, tile + part + 64 * b, fifths_by_number((w[0] >> 16) | (w[1] << 16)));
    put_words(s, 6, 4, tile + part + 64 * n + 256 * b);
    break;
  case 3: case 7: {
    u16x both;
    uint8_t *rest = tile + 2 * part;
    words_of_rows(s, w);
    both = halves_apart(w[0]);
    memcpy(tile + 32 * b, &both, 32);
    memcpy(tile + part + 32 * b, (const uint8_t *)&both + 32, 32);
    if (type == 3) {
      put_words(s, 4, 4, rest + 256 * b);
    } else {
      put(s, rest + 64 * b, fifths_by_number(w[1]));
      put_words(s, 8, 4, rest + 64 * n + 256 * b);
    }
    break;
  }
  }
}

// MARK: tiles

/// Bytes and numbers of a native block.
CK_INLINE size_t native_block_bytes(uint32_t type) {
  switch (type) {
  case 2: case 20: return 18;
  case 3: return 20;
  case 6: return 22;
  case 7: return 24;
  case 8: return 34;
  case 39: return 17;
  case 10: return 84;
  case 11: return 110;
  case 12: return 144;
  case 13: return 176;
  case 14: return 210;
  case 23: return 136;
  default: return 0;
  }
}

/// Sixteen rows of a matrix, or its last `rows`.
typedef struct {
  const uint8_t *native;
  size_t row_bytes;
  size_t rows;
  size_t columns;
  int streams;
} ck_tile_rows;

/// `bytes` bytes of each row from `offset` on; of a tile that the matrix ends in, copied to `copy` (256
/// bytes a row), whose missing rows are zeros.
CK_INLINE ck_block_rows rows_at(const ck_tile_rows *t, size_t offset, size_t bytes, uint8_t *copy) {
  const uint8_t *bytes_of_row = t->native + offset, *ahead = t->native + 16 * (t->row_bytes + offset);
  if (t->rows == 16) return (ck_block_rows){bytes_of_row, t->row_bytes, ahead, t->streams};
  for (size_t r = 0; r < t->rows; r++) memcpy(copy + 256 * r, bytes_of_row + r * t->row_bytes, bytes);
  return (ck_block_rows){copy, 256, ahead, t->streams};
}

CK_INLINE void pack_blocks(uint32_t type, const ck_tile_rows *t, uint8_t *tile) {
  uint8_t copy[16 * 256];
  if (t->rows < 16) memset(copy, 0, sizeof copy);
  const u16x lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const u16x present = (u16x)(lane < (uint32_t)t->rows);
  size_t bytes = native_block_bytes(type), wide = ck_activation_width(type), n = t->columns / wide;
  size_t each = wide == 256 ? ck_tile_bytes(type, 256) : 0;
  size_t used = type == 39 ? 16 * n : 32 * n, part = ck_lines(used);
  if (each == 0) {
    memset(tile + used, 0, part - used);
    if (type == 3 || type == 7) memset(tile + part + used, 0, part - used);
  }
  for (size_t b = 0; b < n; b++) {
    ck_block_rows s = rows_at(t, b * bytes, bytes, copy);
    uint8_t *out = tile + b * each;
    switch (type) {
    case 10: pack_q2_k(s, out); break;
    case 11: pack_q3_k(s, out, present); break;
    case 12: pack_q4_k(s, out); break;
    case 13: pack_q5_k(s, out); break;
    case 14: pack_q6_k(s, out); break;
    case 23: pack_iq4_xs(s, out, present); break;
    default: pack_block_of_32(type, s, tile, n, part, b);
    }
  }
}

/// Numbers of two or four bytes, column by column.
CK_INLINE void pack_numbers(size_t size, const ck_tile_rows *t, uint8_t *tile) {
  uint8_t copy[16 * 256];
  if (t->rows < 16) memset(copy, 0, sizeof copy);
  size_t columns = 0, step = 16 / size;
  for (; columns + step <= t->columns; columns += step) {
    u16x w[4];
    uint8_t *out = tile + columns * 16 * size;
    ck_block_rows s = rows_at(t, columns * size, 16, copy);
    words_of_rows(s, w);
    for (size_t k = 0; k < 4; k++) put(s, out + 64 * k, size == 4 ? w[k] : halves_apart(w[k]));
  }
  for (; columns < t->columns; columns++) {
    uint8_t *out = tile + columns * 16 * size;
    memset(out, 0, 16 * size);
    for (size_t r = 0; r < t->rows; r++)
      memcpy(out + r * size, t->native + r * t->row_bytes + columns * size, size);
  }
}

#define CK_PACK(type) \
  case type: pack_blocks(type, &t, out); break

/// One tile to `out`. streams: `out` is 64-aligned and not read soon.
CK_INLINE int pack_tile_to(const ck_weights *weights, size_t tile, uint8_t *out, int streams) {
  size_t first = 16 * tile, left = weights->rows - first, columns = weights->columns;
  const uint8_t *native = (const uint8_t *)weights->native + first * weights->row_bytes;
  streams = streams && (uintptr_t)out % 64 == 0;  // tiles of an odd number of F16 columns are not
  const ck_tile_rows t = {native, weights->row_bytes, left < 16 ? left : 16, columns, streams};
  switch (weights->element_type) {
  case 0: pack_numbers(4, &t, out); break;
  case 1: case 30: pack_numbers(2, &t, out); break;
  CK_PACK(2); CK_PACK(3); CK_PACK(6); CK_PACK(7); CK_PACK(8); CK_PACK(10); CK_PACK(11); CK_PACK(12);
  CK_PACK(13); CK_PACK(14); CK_PACK(20); CK_PACK(23); CK_PACK(39);
  default: return -1;
  }
  return 0;
}

/// One tile into memory that is read at once, such as a product's scratch.
static int pack_tile(const ck_weights *weights, size_t tile, void *out) {
  return pack_tile_to(weights, tile, out, 0);
}

static int pack(const ck_weights *weights, size_t tile_begin, size_t tile_end, void *packed) {
  size_t tile_bytes = ck_tile_bytes(weights->element_type, weights->columns);
  for (size_t tile = tile_begin; tile < tile_end; tile++)
    if (pack_tile_to(weights, tile, (uint8_t *)packed + tile * tile_bytes, 1) != 0) return -1;
#if defined(__x86_64__)
  __builtin_ia32_sfence();  // other threads are told with ordinary stores, which would overtake streamed ones
#endif
  return 0;
}
