// Products with weights in blocks of 256: sub-blocks of 32 or 16 columns with integer scales.
//
// Shape: sixteen rows (one packed tile) by `tokens`, a constant of each kernel. A vector of weights is
// unpacked in registers, without the offset that makes it signed, and multiplied with four bytes of each
// token, broadcast from its record; a block's sum stays in one register per token. The minimums, or what
// the offset costs, follow from the sums of numbers in the record. The F32 sums are touched once in 256
// columns and lie in the first-level cache. Bytes moved: the tile once for every group of tokens, the
// tokens' records once for every tile.

typedef struct {
  int bytes;      // of a tile's block
  int subblocks;  // 8 or 16
  int step;       // sub-blocks after which the code repeats; also the bit positions, but for Q5_K
  int minimums;   // whether there are any
  int offset;     // of the unsigned weights
} k_shape;

CK_INLINE k_shape k_shape_of(int type) {
  switch (type) {
  case 10: return (k_shape){1344, 16, 4, 1, 0};
  case 11: return (k_shape){1856, 16, 8, 0, 4};
  case 12: return (k_shape){2368, 8, 2, 1, 0};
  case 13: return (k_shape){2880, 8, 2, 1, 0};
  case 14: return (k_shape){3392, 16, 4, 0, 32};
  default: return (k_shape){2240, 8, 2, 0, CK_WIDE_OFFSET};  // IQ4_XS
  }
}

/// The scales of sub-block j.
CK_INLINE i16x k_scale(int type, const uint8_t *block, int j) {
  if (type == 12 || type == 13) return CK_INTS(*(const b16u *)(block + 64 + 16 * j));
  if (type == 10) return CK_INTS(*(const b16u *)(block + 64 + 16 * j) & 15);
  return CK_INTS(*(const s16u *)(block + 64 + 16 * j));
}

/// What the sums of the numbers of sub-blocks 2 i and 2 i + 1 are multiplied with, in pairs: the
/// minimums, or where the weights are offset the scales.
CK_INLINE i16x k_sum_factors(int type, const uint8_t *block, int i) {
  if (type == 10)
    return pairs_of(CK_INTS(*(const b16u *)(block + 64 + 32 * i) >> 4),
                    CK_INTS(*(const b16u *)(block + 80 + 32 * i) >> 4));
  if (type == 12 || type == 13)
    return (i16x)__builtin_convertvector(*(const b32u *)(block + 192 + 32 * i), halves32);
  return pairs_of(k_scale(type, block, 2 * i), k_scale(type, block, 2 * i + 1));
}

CK_INLINE void k_subblocks(int type, int tokens, const uint8_t *block, const uint8_t *x, size_t numbers,
                           size_t ahead, i16x *sums) {
  const k_shape shape = k_shape_of(type);
  const int columns = 256 / shape.subblocks, groups = columns / 4;
  const int share = shape.bytes / shape.subblocks;
#pragma clang loop unroll(disable)
  for (int first = 0; first < shape.subblocks; first += shape.step) {
    CK_UNROLL for (int j = 0; j < shape.step; j++) {
      if (ahead) ask_ahead(block + ahead + share * (first + j), share);
      i16x scale = part_scale(k_scale(type, block, first + j));
      const weights_place place = {block, NULL, first, j};
      dot_groups(type, tokens, place, x, numbers + (size_t)(columns * (first + j)), groups, &scale, sums);
    }
  }
}

CK_INLINE void k_tile(int type, int tokens, const uint8_t *tile, const uint8_t *x, size_t columns,
                      size_t ahead, v16 *results) {
  const k_shape shape = k_shape_of(type);
  const size_t n = columns / 256;
  const size_t scales = ck_record_offset(columns, 256, CK_RECORD_SCALES);
  const int sums_part = shape.subblocks == 16 ? CK_RECORD_SUMS16 : CK_RECORD_SUMS32;
  const size_t sums_at = ck_record_offset(columns, 256, sums_part);
  v16 parts[4][CK_TOKENS_AT_ONCE];
  size_t b = 0;
  for (size_t segment = 0; segment < 4; segment++) {
    CK_TOKENS parts[segment][t] = (v16){};
    for (size_t end = (segment + 1) * n / 4; b < end; b++) {
      const uint8_t *block = tile + b * (size_t)shape.bytes;
      i16x sums[CK_TOKENS_AT_ONCE];
      CK_TOKENS sums[t] = (i16x){};
      k_subblocks(type, tokens, block, x, b * 256, ahead, sums);
      i16x others[CK_TOKENS_AT_ONCE];
      CK_TOKENS others[t] = (i16x){};
      if (shape.minimums || shape.offset != 0) {
        const int pairs = shape.subblocks / 2;
        CK_UNROLL for (int i = 0; i < pairs; i++) {
          i16x factors = k_sum_factors(type, block, i);
          CK_TOKENS others[t] = pair_products(
              others[t], factors, splat_int(word_of(x, tokens, t, sums_at + 4 * ((size_t)pairs * b + (size_t)i))));
        }
      }
      v16 d = load_halves(block);
      CK_TOKENS {
        i16x sum = shape.minimums ? sums[t] : sums[t] - others[t] * shape.offset;
        v16 dx = splat_float(word_of(x, tokens, t, scales + 4 * b));
        parts[segment][t] = CK_FMA(d * dx, CK_FLOATS(sum), parts[segment][t]);
      }
      if (shape.minimums) {
        v16 dmin = load_halves(block + 32);
        CK_TOKENS {
          v16 dx = splat_float(word_of(x, tokens, t, scales + 4 * b));
          parts[segment][t] = CK_FMA(-(dmin * dx), CK_FLOATS(others[t]), parts[segment][t]);
        }
      }
    }
  }
  CK_TOKENS results[t] = (parts[0][t] + parts[1][t]) + (parts[2][t] + parts[3][t]);
}
