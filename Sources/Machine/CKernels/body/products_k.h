// Products with weights in blocks of 256: sub-blocks of 32 or 16 columns with integer scales.
//
// Shape: sixteen rows (one packed tile) by `tokens`, a constant of each kernel. A vector of weights is
// unpacked in registers and multiplied with four bytes of each token, broadcast from its record; the sum
// over a sub-block stays in one register per token, the block's in a second. The F32 sums are touched once
// in 256 columns and lie in the first-level cache. Bytes moved: the tile once for every group of tokens,
// the tokens' records once for every tile.

typedef struct {
  int bytes;      // of a tile's block
  int subblocks;  // 8 or 16
  int step;       // sub-blocks after which the bit positions repeat
  int largest;    // unsigned weight
  int wide;
  int minimums;
} k_shape;

CK_INLINE k_shape k_shape_of(int type) {
  switch (type) {
  case 10: return (k_shape){1344, 16, 4, 3, 0, 1};
  case 11: return (k_shape){1856, 16, 8, 7, 0, 0};
  case 12: return (k_shape){2368, 8, 2, 15, 0, 1};
  case 13: return (k_shape){2880, 8, 2, 31, 0, 1};
  case 14: return (k_shape){3392, 16, 4, 63, 0, 0};
  default: return (k_shape){2240, 8, 2, 128, 1, 0};  // IQ4_XS
  }
}

CK_INLINE i16x load_vector(const uint8_t *p) { return (i16x)CK_LOAD(p); }

static const int8_t ck_iq4_table[16] = {
    -127 + CK_WIDE_OFFSET, -104 + CK_WIDE_OFFSET, -83 + CK_WIDE_OFFSET, -65 + CK_WIDE_OFFSET,
    -49 + CK_WIDE_OFFSET,  -35 + CK_WIDE_OFFSET,  -22 + CK_WIDE_OFFSET, -10 + CK_WIDE_OFFSET,
    (int8_t)(1 + CK_WIDE_OFFSET),  (int8_t)(13 + CK_WIDE_OFFSET), (int8_t)(25 + CK_WIDE_OFFSET),
    (int8_t)(38 + CK_WIDE_OFFSET), (int8_t)(53 + CK_WIDE_OFFSET), (int8_t)(69 + CK_WIDE_OFFSET),
    (int8_t)(89 + CK_WIDE_OFFSET), (int8_t)(113 + CK_WIDE_OFFSET)};

/// The weights of group g of sub-block first + j, unsigned, where `first` is a multiple of the step.
CK_INLINE i16x k_group(int type, const uint8_t *block, int first, int j, int g) {
  switch (type) {
  case 12: return byte_bits(load_vector(block + 320 + 512 * (first / 2 + j / 2) + 64 * g), 4 * (j % 2), 15);
  case 13:
    return byte_bits(load_vector(block + 832 + 512 * (first / 2 + j / 2) + 64 * g), 4 * (j % 2), 15) |
           (byte_bits((i16x)((u16x)load_vector(block + 320 + 64 * g) >> (uint32_t)first), j, 1) << 4);
  case 14:
    return byte_bits(load_vector(block + 320 + 256 * (first / 2 + j / 2) + 64 * g), 4 * (j % 2), 15) |
           byte_bits(load_vector(block + 2368 + 256 * (first / 4) + 64 * g), 2 * j - 4, 48);
  case 10: return byte_bits(load_vector(block + 320 + 256 * (first / 4) + 64 * g), 2 * j, 3);
  case 11:
    return byte_bits(load_vector(block + 320 + 256 * (first / 4 + j / 4) + 64 * g), 2 * (j % 4), 3) |
           byte_bits(load_vector(block + 1344 + 256 * (first / 8) + 64 * g), j - 2, 4);
  default:
    return byte_lookup(ck_iq4_table, byte_bits(load_vector(block + 192 + 512 * (first / 2 + j / 2) + 64 * g),
                                               4 * (j % 2), 15));
  }
}

/// What the sum of a sub-block begins with: minus the weights' offset times the sum of the numbers.
CK_INLINE i16x k_start(int type, const int32_t *minus32, int j) {
  if (type == 14) return splat_int(minus32 + j);
  if (type == 11) return splat_int(minus32 + j) >> 3;
  if (type == 23 && CK_WIDE_OFFSET != 0) return (splat_int(minus32 + 2 * j) + splat_int(minus32 + 2 * j + 1)) << 2;
  return (i16x){};
}

CK_INLINE i16x k_scale(int type, const uint8_t *block, int j) {
  if (type == 12 || type == 13) return CK_INTS(*(const b16u *)(block + 64 + 16 * j));
  if (type == 10) return CK_INTS(*(const b16u *)(block + 64 + 16 * j) & 15);
  return CK_INTS(*(const s16u *)(block + 64 + 16 * j));
}

/// The minimums of sub-blocks 2 i and 2 i + 1 of each row, as pairs of 16 bits.
CK_INLINE i16x k_minimums(int type, const uint8_t *block, int i) {
  if (type == 10)
    return CK_INTS(*(const b16u *)(block + 64 + 32 * i) >> 4) | CK_INTS(*(const b16u *)(block + 80 + 32 * i) >> 4) << 16;
  return (i16x)__builtin_convertvector(*(const b32u *)(block + 192 + 32 * i), halves32);
}

typedef struct {
  size_t scales, sums16, sums32, minus32;
} k_record;

CK_INLINE void k_subblocks(int type, int tokens, const uint8_t *block, const uint8_t *const *x, size_t numbers,
                           size_t minus, size_t ahead, i16x *sums) {
  const k_shape shape = k_shape_of(type);
  const int columns = 256 / shape.subblocks, groups = columns / 4;
  const int safe = safe_groups(shape.largest), share = shape.bytes / shape.subblocks;
#pragma clang loop unroll(disable)
  for (int first = 0; first < shape.subblocks; first += shape.step) {
    CK_UNROLL for (int j = 0; j < shape.step; j++) {
      if (ahead) ask_ahead(block + ahead + share * (first + j), share);
      i16x sum[CK_TOKENS_AT_ONCE];
      CK_TOKENS sum[t] = k_start(type, (const int32_t *)(const void *)(x[t] + minus), first + j);
      CK_UNROLL for (int begin = 0; begin < groups; begin += safe) {
        i16x part[CK_TOKENS_AT_ONCE];
        CK_TOKENS part[t] = part_begin(sum[t]);
        CK_UNROLL for (int g = begin; g < groups && g < begin + safe; g++) {
          i16x w = k_group(type, block, first, j, g);
          CK_TOKENS part[t] = part_add(
              part[t], w, splat_group((const int8_t *)x[t] + numbers + columns * (first + j) + 4 * g), shape.wide);
        }
        CK_TOKENS sum[t] = part_end(sum[t], part[t]);
      }
      i16x scale = k_scale(type, block, first + j);
      CK_TOKENS sums[t] += sum[t] * scale;
    }
  }
}

CK_INLINE void k_tile(int type, int tokens, const uint8_t *tile, const uint8_t *const *x, size_t columns,
                      size_t ahead, v16 *results) {
  const k_shape shape = k_shape_of(type);
  const size_t n = columns / 256;
  const size_t scales = ck_record_offset(columns, 256, CK_RECORD_SCALES);
  const size_t sums_at = ck_record_offset(columns, 256, type == 10 ? CK_RECORD_SUMS16 : CK_RECORD_SUMS32);
  const size_t minus = ck_record_offset(columns, 256, CK_RECORD_MINUS32);
  v16 parts[4][CK_TOKENS_AT_ONCE];
  size_t b = 0;
  for (size_t segment = 0; segment < 4; segment++) {
    CK_TOKENS parts[segment][t] = (v16){};
    for (size_t end = (segment + 1) * n / 4; b < end; b++) {
      const uint8_t *block = tile + b * (size_t)shape.bytes;
      i16x sums[CK_TOKENS_AT_ONCE];
      CK_TOKENS sums[t] = (i16x){};
      k_subblocks(type, tokens, block, x, b * 256, minus + b * 64, ahead, sums);
      v16 d = load_halves(block);
      CK_TOKENS parts[segment][t] =
          CK_FMA(d * splat_float((const float *)(const void *)(x[t] + scales) + b), CK_FLOATS(sums[t]), parts[segment][t]);
      if (shape.minimums) {
        const int pairs = shape.subblocks / 2;
        i16x least[CK_TOKENS_AT_ONCE];
        CK_TOKENS least[t] = (i16x){};
        CK_UNROLL for (int i = 0; i < pairs; i++) {
          i16x m = k_minimums(type, block, i);
          CK_TOKENS least[t] = pair_products(least[t], m, splat_group((const int8_t *)x[t] + sums_at + 4 * ((size_t)pairs * b + (size_t)i)));
        }
        v16 dmin = load_halves(block + 32);
        CK_TOKENS parts[segment][t] =
            CK_FMA(-(dmin * splat_float((const float *)(const void *)(x[t] + scales) + b)), CK_FLOATS(least[t]), parts[segment][t]);
      }
    }
  }
  CK_TOKENS results[t] = (parts[0][t] + parts[1][t]) + (parts[2][t] + parts[3][t]);
}
