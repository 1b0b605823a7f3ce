// Products with weights in blocks of 32.
//
// Shape: sixteen rows (one packed tile) by `tokens`, a constant of each kernel: per token one register
// for the integers of a block and one for the F32 sum. Bytes moved: the tile once for every group of
// tokens, the tokens' records once for every tile.

/// Where the parts of a tile lie, in bytes.
typedef struct {
  size_t minimums, fifths, numbers;
} small_parts;

CK_INLINE small_parts small_parts_of(int type, size_t n) {
  size_t d = type == 39 ? ck_lines(n * 16) : ck_lines(n * 32);
  int minimums = type == 3 || type == 7, fifths = type == 6 || type == 7;
  return (small_parts){d, minimums ? 2 * d : d, (minimums ? 2 * d : d) + (fifths ? n * 64 : 0)};
}

/// Bytes that a block adds to a tile.
CK_INLINE int small_bytes(int type) {
  switch (type) {
  case 3: return 320;
  case 6: return 352;
  case 7: return 384;
  case 8: return 544;
  case 39: return 272;
  default: return 288;
  }
}

/// Half of 2^(e - 127): the numbers are doubled.
CK_INLINE v16 e8m0_halves(const uint8_t *p) {
  i16x e = CK_INTS(*(const b16u *)p);
  i16x tiny = e < 2;
  return (v16)((tiny & ((i16x){} + 0x00200000) << (e & 1)) | (~tiny & ((e - 1) << 23)));
}

CK_INLINE void small_tile(int type, int tokens, const uint8_t *tile, const uint8_t *x, size_t columns,
                          size_t ahead, v16 *results) {
  const size_t n = columns / 32;
  const small_parts at = small_parts_of(type, n);
  const size_t bytes = type == 8 ? 512 : 256;
  const size_t scales = ck_record_offset(columns, 32, CK_RECORD_SCALES);
  const size_t minus8 = ck_record_offset(columns, 32, CK_RECORD_MINUS8);
  const int minimums = type == 3 || type == 7, wide = largest_weight(type) > 127;
  const int minus_part = type == 2 ? CK_RECORD_MINUS8 : wide ? CK_RECORD_MINUS128 : CK_RECORD_MINUS16;
  const size_t minus = ck_record_offset(columns, 32, minus_part);
  const int starts = !minimums && (!wide || CK_WIDE_OFFSET != 0);
  v16 parts[4][CK_TOKENS_AT_ONCE];
  size_t b = 0;
  for (size_t segment = 0; segment < 4; segment++) {
    v16 acc[CK_TOKENS_AT_ONCE];
    CK_TOKENS acc[t] = (v16){};
    for (size_t end = (segment + 1) * n / 4; b < end; b++) {
      if (ahead) ask_ahead(tile + ahead + b * small_bytes(type), small_bytes(type));
      i16x sum[CK_TOKENS_AT_ONCE];
      CK_TOKENS sum[t] = starts ? splat_int(word_of(x, tokens, t, minus + 4 * b)) : (i16x){};
      const weights_place place = {tile + at.numbers + b * bytes, tile + at.fifths + b * 64, 0, 0};
      dot_groups(type, tokens, place, x, 32 * b, 8, NULL, sum);
      v16 d = type == 39 ? e8m0_halves(tile + 16 * b) : load_halves(tile + 32 * b);
      CK_TOKENS acc[t] = CK_FMA(d * splat_float(word_of(x, tokens, t, scales + 4 * b)), CK_FLOATS(sum[t]), acc[t]);
      if (minimums) {  // minus8 = -8 times the sum of the numbers
        v16 m = load_halves(tile + at.minimums + 32 * b);
        CK_TOKENS {
          i16x sum32 = -splat_int(word_of(x, tokens, t, minus8 + 4 * b)) >> 3;
          acc[t] = CK_FMA(m * splat_float(word_of(x, tokens, t, scales + 4 * b)), CK_FLOATS(sum32), acc[t]);
        }
      }
    }
    CK_TOKENS parts[segment][t] = acc[t];
  }
  CK_TOKENS results[t] = (parts[0][t] + parts[1][t]) + (parts[2][t] + parts[3][t]);
}
