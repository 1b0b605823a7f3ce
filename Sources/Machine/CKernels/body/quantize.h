// Rows of activations into records (layout: ckernels_packed.h).
//
// Shape: one row, `width` numbers at a time: the largest magnitude, then numbers and sums from registers.
// Bytes moved: the row read twice (the second time from the first-level cache), the record written once.

/// The largest of the bit patterns without sign of `vectors` vectors at x: it orders as the magnitudes
/// do, and one that is not finite has the largest.
CK_INLINE uint32_t largest_magnitude(const float *x, size_t vectors) {
  u16x largest = {0};
  for (size_t i = 0; i < vectors; i++)
    largest = __builtin_elementwise_max(largest, (u16x)CK_LOAD(x + 16 * i) & 0x7fffffff);
  return __builtin_reduce_max(largest);
}

/// What numbers are multiplied with, and the scale that undoes it, for the largest magnitude of a block.
CK_INLINE float inverse_and_scale(uint32_t largest, float *scale) {
  if (largest >= 0x7f800000u) return *scale = float_of(0x7fc00000u), 0;
  float magnitude = float_of(largest);
  if (magnitude < 0x1p-100f) return *scale = 0, 0;
  *scale = magnitude / 127.0f;
  return 127.0f / magnitude;
}

/// Sixteen numbers to the nearest integers, halves to even: at 1.5 * 2^23 a unit is the last place. Where
/// the inverse is zero they are zeros, whatever x is.
CK_INLINE i16x nearest(const float *x, float inverse) {
  if (inverse == 0) return (i16x){0};
  v16 product = CK_LOAD(x) * CK_SPLAT(inverse);
  return (i16x)(product + CK_SPLAT(0x1.8p23f)) - 0x4b400000;
}

/// The sums of sixteen vectors, in the order of the vectors.
CK_INLINE i16x sums_of_vectors(i16x v[16]) {
  for (int i = 0; i < 8; i++) {  // after each step half as many vectors, of sums of twice as many numbers
    i16x a = v[i], b = v[i + 8];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
           __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  for (int i = 0; i < 4; i++) {
    i16x a = v[i], b = v[i + 4];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
  for (int i = 0; i < 2; i++) {
    i16x a = v[i], b = v[i + 2];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  i16x a = v[0], b = v[1];
  return __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
         __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}

/// A block of 256 numbers.
CK_INLINE void quantize_256(const float *x, int8_t *numbers, float *scale, int16_t *sums16, int16_t *sums32,
                            int32_t *minus32) {
  typedef int16_t h16 __attribute__((vector_size(32), aligned(1), may_alias));
  typedef int16_t h8 __attribute__((vector_size(16), aligned(1), may_alias));
  typedef int32_t i8x __attribute__((vector_size(32)));
  i16x v[16];
  float inverse = inverse_and_scale(largest_magnitude(x, 16), scale);
  for (int i = 0; i < 16; i++) {
    v[i] = nearest(x + 16 * i, inverse);
    *(s16u *)(numbers + 16 * i) = __builtin_convertvector(v[i], s16);
  }
  i16x sums = sums_of_vectors(v);
  i8x pairs = __builtin_shufflevector(sums, sums, 0, 2, 4, 6, 8, 10, 12, 14) +
              __builtin_shufflevector(sums, sums, 1, 3, 5, 7, 9, 11, 13, 15);
  *(h16 *)sums16 = __builtin_convertvector(sums, h16);
  *(h8 *)sums32 = __builtin_convertvector(pairs, h8);
  *(u16xu *)minus32 = (u16x)(sums * -32);
}

/// A block of 32 numbers. minus8, minus16, minus128: where the block's sums belong.
CK_INLINE void quantize_32(const float *x, int8_t *numbers, float *scale, int32_t *minus8, int32_t *minus16,
                           int32_t *minus128) {
  float inverse = inverse_and_scale(largest_magnitude(x, 2), scale);
  i16x low = nearest(x, inverse), high = nearest(x + 16, inverse);
  *(s16u *)numbers = __builtin_convertvector(low, s16);
  *(s16u *)(numbers + 16) = __builtin_convertvector(high, s16);
  int32_t sum = __builtin_reduce_add(low + high);
  *minus8 = -8 * sum, *minus16 = -16 * sum, *minus128 = -128 * sum;
}

/// Zeros from the end of a part's numbers to the next part.
CK_INLINE void fill_part(uint8_t *record, size_t columns, size_t width, int part, size_t used) {
  size_t begin = ck_record_offset(columns, width, part), end = ck_record_offset(columns, width, part + 1);
  memset(record + begin + used, 0, end - begin - used);
}

static void quantize(const float *x, size_t columns, size_t width, size_t block_begin, size_t block_end,
                     void *record) {
  uint8_t *out = record;
  if (width == 0) {
    memcpy(out + 4 * block_begin, x + block_begin, 4 * (block_end - block_begin));
    if (block_end == columns) memset(out + 4 * columns, 0, ck_lines(4 * columns) - 4 * columns);
    return;
  }
  uint8_t *part[5];
  for (int i = 0; i < 5; i++) part[i] = out + ck_record_offset(columns, width, i);
  int8_t *numbers = (int8_t *)out;
  float *scales = (float *)part[CK_RECORD_SCALES];
  for (size_t b = block_begin; b < block_end; b++) {
    if (width == 256)
      quantize_256(x + 256 * b, numbers + 256 * b, scales + b, (int16_t *)part[2] + 16 * b,
                   (int16_t *)part[3] + 8 * b, (int32_t *)part[4] + 16 * b);
    else
      quantize_32(x + 32 * b, numbers + 32 * b, scales + b, (int32_t *)part[2] + b, (int32_t *)part[3] + b,
                  (int32_t *)part[4] + b);
  }
  size_t n = columns / width;
  if (block_end < n) return;
  const size_t used256[5] = {columns, 4 * n, columns / 8, columns / 16, columns / 4};
  const size_t used32[5] = {columns, 4 * n, 4 * n, 4 * n, 4 * n};
  for (int i = 0; i < 5; i++) fill_part(out, columns, width, i, width == 256 ? used256[i] : used32[i]);
}
