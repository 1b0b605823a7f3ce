// Blocks of every element type to F32, with the roundings of the reference (one rounding per
// multiplication and addition, in the order of its formulas). Layouts: ggml-common.h.

#define CK_NIBBLES_LOW(q) ((q) & 15)
#define CK_NIBBLES_HIGH(q) ((q) >> 4)
#define CK_FLOATS(v) __builtin_convertvector((v), v16)
#define CK_INTS(v) __builtin_convertvector((v), i16x)

static const int8_t ck_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};
static const int8_t ck_e2m1_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// table[indices[i]] for indices below 16.
CK_INLINE v16 lookup(const int8_t *table, b16 indices) {
#if CK_BYTE_SHUFFLE
  typedef char c16 __attribute__((vector_size(16)));
  s16 found = (s16)__builtin_ia32_pshufb128((c16) * (const s16u *)table, (c16)indices);
#else
  s16 found;
  for (int i = 0; i < 16; i++) found[i] = table[indices[i]];
#endif
  return CK_FLOATS(found);
}

/// 0, 1, ... 15.
static const float ck_counting[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const int8_t ck_centred[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

/// Bit `shift + lane` of word, in every lane.
CK_INLINE i16x lane_bits(uint32_t word, int shift) {
  const u16x lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  u16x w = (u16x){} + (word >> shift);
  return (i16x)((w >> lane) & 1);
}

#if CK_TABLE_PERMUTE
/// Sixteen bytes of packed 4-bit indices through one table for the low and one for the high nibbles.
/// The tables hold the finished numbers, so that nothing is computed per element.
CK_INLINE void nibbles_through(v16 low_table, v16 high_table, b16 q, float *low, float *high) {
  i16x indices = CK_INTS(q);  // the permutation reads the low four bits only
  CK_STORE(low, (v16)__builtin_ia32_permvarsf512(low_table, indices));
  CK_STORE(high, (v16)__builtin_ia32_permvarsf512(high_table, indices >> 4));
}
#endif


#if CK_TABLE_PERMUTE
/// Sixteen 5-bit indices through a table of 32 numbers: four bits of each from `four`, the fifth from
/// `fifth`, both where they belong; their other bits do not matter.
CK_INLINE v16 five_bits_through(v16 lower, v16 upper, i16x four, i16x fifth) {
  i16x indices = (four & ~16) | (fifth & 16);
  return (v16)__builtin_ia32_vpermi2varps512(lower, indices, upper);
}
#endif

/// scale[i] (q[i] + 16 h[i]) + offset for the 32 numbers of a block of Q5_0 or Q5_1. q: low nibbles,
/// then high ones; bit i of h is the fifth of number i; `first` is what q counts from.
CK_INLINE void five_bit_block(float scale, float first, float offset, int has_offset, uint32_t h, b16 q, float *y) {
  v16 d = CK_SPLAT(scale), m = CK_SPLAT(offset);
#if CK_TABLE_PERMUTE
  const u16x lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  v16 lower = d * (CK_LOAD(ck_counting) + CK_SPLAT(first));
  v16 upper = d * (CK_LOAD(ck_counting) + CK_SPLAT(first + 16));
  if (has_offset) lower = lower + m, upper = upper + m;
  i16x four = CK_INTS(q);
  uint32_t low_bits = h << 4 | h >> 28, high_bits = h >> 12;  // bit i, and bit 16 + i, at place 4 + i
  CK_STORE(y, five_bits_through(lower, upper, four, (i16x)(((u16x){} + low_bits) >> lane)));
  CK_STORE(y + 16, five_bits_through(lower, upper, four >> 4, (i16x)(((u16x){} + high_bits) >> lane)));
#else
  v16 low = d * (CK_FLOATS(CK_INTS(CK_NIBBLES_LOW(q)) | (lane_bits(h, 0) << 4)) + CK_SPLAT(first));
  v16 high = d * (CK_FLOATS(CK_INTS(CK_NIBBLES_HIGH(q)) | (lane_bits(h, 16) << 4)) + CK_SPLAT(first));
  CK_STORE(y, has_offset ? low + m : low);
  CK_STORE(y + 16, has_offset ? high + m : high);
#endif
}

/// low[i] = d table[q[i] & 15], high[i] = d table[q[i] >> 4].
CK_INLINE void scaled_nibbles(const int8_t *table, float d, b16 q, float *low, float *high) {
#if CK_TABLE_PERMUTE
  v16 scaled = CK_SPLAT(d) * CK_FLOATS(*(const s16u *)table);
  nibbles_through(scaled, scaled, q, low, high);
#else
  CK_STORE(low, CK_SPLAT(d) * lookup(table, CK_NIBBLES_LOW(q)));
  CK_STORE(high, CK_SPLAT(d) * lookup(table, CK_NIBBLES_HIGH(q)));
#endif
}

CK_INLINE void block_q4_0(const uint8_t *s, float *y) {
  scaled_nibbles(ck_centred, read_half(s), CK_LOAD_BYTES(s + 2), y, y + 16);
}

CK_INLINE void block_q4_1(const uint8_t *s, float *y) {
  v16 d = CK_SPLAT(read_half(s)), m = CK_SPLAT(read_half(s + 2));
  b16 q = CK_LOAD_BYTES(s + 4);
  CK_STORE(y, d * CK_FLOATS(CK_NIBBLES_LOW(q)) + m);
  CK_STORE(y + 16, d * CK_FLOATS(CK_NIBBLES_HIGH(q)) + m);
}

CK_INLINE void block_q5_0(const uint8_t *s, float *y) {
  five_bit_block(read_half(s), -16, 0, 0, read32(s + 2), CK_LOAD_BYTES(s + 6), y);
}

CK_INLINE void block_q5_1(const uint8_t *s, float *y) {
  five_bit_block(read_half(s), 0, read_half(s + 2), 1, read32(s + 4), CK_LOAD_BYTES(s + 8), y);
}

CK_INLINE void block_q8_0(const uint8_t *s, float *y) {
  v16 d = CK_SPLAT(read_half(s));
  CK_STORE(y, CK_FLOATS(*(const s16u *)(s + 2)) * d);
  CK_STORE(y + 16, CK_FLOATS(*(const s16u *)(s + 18)) * d);
}

CK_INLINE void block_q2_k(const uint8_t *s, float *y) {
  float scales[16], minimums[16];
  b16 packed = CK_LOAD_BYTES(s);
  CK_STORE(scales, CK_SPLAT(read_half(s + 80)) * CK_FLOATS(CK_NIBBLES_LOW(packed)));
  CK_STORE(minimums, CK_SPLAT(read_half(s + 82)) * CK_FLOATS(CK_NIBBLES_HIGH(packed)));
  for (int g = 0; g < 16; g++) {  // groups of 16: half g / 8, shift 2 (g % 8 / 2), bytes 16 (g % 2)
    b16 q = (CK_LOAD_BYTES(s + 16 + 32 * (g / 8) + 16 * (g % 2)) >> (2 * (g % 8 / 2))) & 3;
    CK_STORE(y + 16 * g, CK_SPLAT(scales[g]) * CK_FLOATS(q) - CK_SPLAT(minimums[g]));
  }
}

CK_INLINE void block_q3_k(const uint8_t *s, float *y) {
  const uint8_t *high = s, *low = s + 32, *scales = s + 96;
  float d = read_half(s + 108);
  for (int g = 0; g < 16; g++) {
    int lo = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4;
    int scale = (lo | (((scales[8 + g % 4] >> (2 * (g / 4))) & 3) << 4)) - 32;
    b16 q = (CK_LOAD_BYTES(low + 32 * (g / 8) + 16 * (g % 2)) >> (2 * (g % 8 / 2))) & 3;
    b16 h = (CK_LOAD_BYTES(high + 16 * (g % 2)) >> (g / 2)) & 1;  // set: no offset
    v16 value = CK_FLOATS(CK_INTS(q) - (CK_INTS(h ^ 1) << 2));
    CK_STORE(y + 16 * g, CK_SPLAT(d * (float)scale) * value);
  }
}

/// The eight scales, times d, and the eight minimums, times dmin, of a block of Q4_K or Q5_K: six bits
/// each, the upper two of the last four in the bytes of the first four.
CK_INLINE void scales_and_minimums(const uint8_t *p, float d, float dmin, float out[16]) {
  const uint32_t six = 0x3f3f3f3f, four = 0x0f0f0f0f, upper = 0x30303030;
  uint32_t a = read32(p), b = read32(p + 4), c = read32(p + 8);
  uint32_t words[4] = {a & six, (c & four) | ((a >> 2) & upper), b & six, ((c >> 4) & four) | ((b >> 2) & upper)};
  const v16 factor = {d, d, d, d, d, d, d, d, dmin, dmin, dmin, dmin, dmin, dmin, dmin, dmin};
  CK_STORE(out, factor * CK_FLOATS(*(const b16u *)words));
}

CK_INLINE void block_q4_k(const uint8_t *s, float *y) {
  float scales[16];  // eight scales, eight minimums
  scales_and_minimums(s + 4, read_half(s), read_half(s + 2), scales);
  for (int c = 0; c < 4; c++) {
    v16 d0 = CK_SPLAT(scales[2 * c]), b0 = CK_SPLAT(scales[8 + 2 * c]);
    v16 d1 = CK_SPLAT(scales[2 * c + 1]), b1 = CK_SPLAT(scales[8 + 2 * c + 1]);
#if CK_TABLE_PERMUTE
    v16 low = d0 * CK_LOAD(ck_counting) - b0, high = d1 * CK_LOAD(ck_counting) - b1;
#endif
    for (int l = 0; l < 2; l++) {
      b16 q = CK_LOAD_BYTES(s + 16 + 32 * c + 16 * l);
#if CK_TABLE_PERMUTE
      nibbles_through(low, high, q, y + 64 * c + 16 * l, y + 64 * c + 32 + 16 * l);
#else
      CK_STORE(y + 64 * c + 16 * l, d0 * CK_FLOATS(CK_NIBBLES_LOW(q)) - b0);
      CK_STORE(y + 64 * c + 32 + 16 * l, d1 * CK_FLOATS(CK_NIBBLES_HIGH(q)) - b1);
#endif
    }
  }
}

CK_INLINE void block_q5_k(const uint8_t *s, float *y) {
  float scales[16];  // eight scales, eight minimums
  scales_and_minimums(s + 4, read_half(s), read_half(s + 2), scales);
#if CK_TABLE_PERMUTE
  i16x fifths[2] = {CK_INTS(CK_LOAD_BYTES(s + 16)), CK_INTS(CK_LOAD_BYTES(s + 32))};
#endif
  for (int j = 0; j < 8; j++) {
    v16 dj = CK_SPLAT(scales[j]), bj = CK_SPLAT(scales[8 + j]);
#if CK_TABLE_PERMUTE
    v16 lower = dj * CK_LOAD(ck_counting) - bj, upper = dj * (CK_LOAD(ck_counting) + CK_SPLAT(16)) - bj;
#endif
    for (int l = 0; l < 2; l++) {
      b16 q = CK_LOAD_BYTES(s + 48 + 32 * (j / 2) + 16 * l);
#if CK_TABLE_PERMUTE
      i16x fifth = j < 4 ? fifths[l] << (4 - j) : fifths[l] >> (j - 4);
      CK_STORE(y + 32 * j + 16 * l, five_bits_through(lower, upper, CK_INTS(q) >> (4 * (j % 2)), fifth));
#else
      b16 h = (CK_LOAD_BYTES(s + 16 + 16 * l) >> j) & 1;
      CK_STORE(y + 32 * j + 16 * l, dj * CK_FLOATS(((q >> (4 * (j % 2))) & 15) | (h << 4)) - bj);
#endif
    }
  }
}

CK_INLINE void block_q6_k(const uint8_t *s, float *y) {
  float scales[16];
  CK_STORE(scales, CK_SPLAT(read_half(s + 208)) * CK_FLOATS(*(const s16u *)(s + 192)));
  for (int half = 0; half < 2; half++) {
    int8_t values[128];
    b32 high = *(const b32u *)(s + 128 + 32 * half);
    for (int i = 0; i < 4; i++) {  // 32 numbers: a nibble of the low bytes, two bits of the high ones
      b32 low = *(const b32u *)(s + 64 * half + 32 * (i % 2));
      low = i < 2 ? low & 15 : low >> 4;
      *(s32u *)(values + 32 * i) = (s32)(low | (((high >> (2 * i)) & 3) << 4)) - 32;
    }
    for (int g = 0; g < 8; g++)
      CK_STORE(y + 128 * half + 16 * g, CK_SPLAT(scales[8 * half + g]) * CK_FLOATS(*(const s16u *)(values + 16 * g)));
  }
}

CK_INLINE void block_iq4_nl(const uint8_t *s, float *y) {
  scaled_nibbles(ck_iq4_values, read_half(s), CK_LOAD_BYTES(s + 2), y, y + 16);
}

CK_INLINE void block_iq4_xs(const uint8_t *s, float *y) {
  float d = read_half(s);
  uint32_t high = read16(s + 2);
  for (int j = 0; j < 8; j++) {
    int low = (s[4 + j / 2] >> (4 * (j % 2))) & 15;
    float scale = d * (float)((low | (int)((high >> (2 * j)) & 3) << 4) - 32);
    scaled_nibbles(ck_iq4_values, scale, CK_LOAD_BYTES(s + 8 + 16 * j), y + 32 * j, y + 32 * j + 16);
  }
}

CK_INLINE void block_mxfp4(const uint8_t *s, float *y) {
  uint32_t e = s[0];  // half of 2^(e - 127): the values of the table are doubled
  float d = float_of(e < 2 ? 0x00200000u << e : (e - 1) << 23);
  scaled_nibbles(ck_e2m1_values, d, CK_LOAD_BYTES(s + 1), y, y + 16);
}

#define CK_BLOCKS(block, bytes, elements)                                       \
  for (size_t i = 0; i < count / (elements); i++)                               \
    block((const uint8_t *)source + i * (bytes), destination + i * (elements)); \
  return 0

static int dequantize(uint32_t element_type, const void *source, float *destination, size_t count) {
  const uint8_t *s = source;
  switch (element_type) {
  case 0:
    memcpy(destination, source, count * sizeof(float));
    return 0;
  case 1: {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) halves_to_floats(s + 2 * i, destination + i);
    for (; i < count; i++) destination[i] = read_half(s + 2 * i);
    return 0;
  }
  case 30:
    for (size_t i = 0; i < count; i++) destination[i] = float_of((uint32_t)read16(s + 2 * i) << 16);
    return 0;
  case 2: CK_BLOCKS(block_q4_0, 18, 32);
  case 3: CK_BLOCKS(block_q4_1, 20, 32);
  case 6: CK_BLOCKS(block_q5_0, 22, 32);
  case 7: CK_BLOCKS(block_q5_1, 24, 32);
  case 8: CK_BLOCKS(block_q8_0, 34, 32);
  case 10: CK_BLOCKS(block_q2_k, 84, 256);
  case 11: CK_BLOCKS(block_q3_k, 110, 256);
  case 12: CK_BLOCKS(block_q4_k, 144, 256);
  case 13: CK_BLOCKS(block_q5_k, 176, 256);
  case 14: CK_BLOCKS(block_q6_k, 210, 256);
  case 20: CK_BLOCKS(block_iq4_nl, 18, 32);
  case 23: CK_BLOCKS(block_iq4_xs, 136, 256);
  case 39: CK_BLOCKS(block_mxfp4, 17, 32);
  default: return -1;
  }
}

/// 32 numbers as a block of Q8_0: to the nearest, halves away from zero; NaN becomes 0.
CK_INLINE void store_q8_0(const float *x, uint8_t *block) {
  const i16x magnitude = (i16x){} + 0x7fffffff;
  v16 a = (v16)((i16x)CK_LOAD(x) & magnitude), b = (v16)((i16x)CK_LOAD(x + 16) & magnitude);
  float each[16], largest = 0;
  i16x more = b > a, isNaN = a != a;
  CK_STORE(each, (v16)(((more | isNaN) & (i16x)b) | (~(more | isNaN) & (i16x)a)));
  for (int i = 0; i < 16; i++) largest = each[i] > largest ? each[i] : largest;
  float d = largest / 127.0f, inverse = d != 0 ? 1.0f / d : 0.0f;
  uint16_t h = float_to_half(d);
  memcpy(block, &h, 2);
  for (int i = 0; i < 32; i += 16) {
    v16 q = CK_LOAD(x + i) * CK_SPLAT(inverse);
    i16x minus = q < CK_SPLAT(0.0f), valid = q == q;
    q = (v16)((i16x)q & valid);
    q += (v16)((minus & (i16x)CK_SPLAT(-0.5f)) | (~minus & (i16x)CK_SPLAT(0.5f)));
    i16x above = q > CK_SPLAT(127.0f), below = q < CK_SPLAT(-127.0f);
    q = (v16)((above & (i16x)CK_SPLAT(127.0f)) | (below & (i16x)CK_SPLAT(-127.0f)) | (~(above | below) & (i16x)q));
    s16 bytes = __builtin_convertvector(__builtin_convertvector(q, i16x), s16);
    memcpy(block + 2 + i, &bytes, 16);
  }
}

static int store_row(uint32_t element_type, const float *source, void *destination, size_t count) {
  uint8_t *out = destination;
  size_t i = 0;
  switch (element_type) {
  case 0:
    memcpy(destination, source, count * sizeof(float));
    return 0;
  case 1:
    for (; i + 16 <= count; i += 16) floats_to_halves(source + i, out + 2 * i);
    for (; i < count; i++) {
      uint16_t h = float_to_half(source[i]);
      memcpy(out + 2 * i, &h, 2);
    }
    return 0;
  case 8:
    for (; i + 32 <= count; i += 32) store_q8_0(source + i, out + i / 32 * 34);
    return 0;
  default: return -1;
  }
}

/// `dequantize` with zeros behind the numbers, up to `pitch` of them.
static int dequantize_padded(uint32_t type, const void *source, float *destination, size_t columns, size_t pitch) {
  for (size_t c = columns; c < pitch; c++) destination[c] = 0;
  return dequantize(type, source, destination, columns);
}
