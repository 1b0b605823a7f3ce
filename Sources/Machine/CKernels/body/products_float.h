// Products with weights of F16, BF16 and F32.
//
// Shape: sixteen rows (one packed tile) by `tokens`, a constant of each kernel; a column's weights are
// one vector, each token's number is broadcast. Bytes moved: the tile once for every group of tokens, the
// tokens' numbers once for every tile.

CK_INLINE v16 float_column(int type, const uint8_t *tile, size_t column) {
  typedef uint16_t w16u __attribute__((vector_size(32), aligned(1), may_alias));
  if (type == 0) return CK_LOAD(tile + 64 * column);
  if (type == 1) return load_halves(tile + 32 * column);
  return (v16)(__builtin_convertvector(*(const w16u *)(tile + 32 * column), u16x) << 16);
}

CK_INLINE void float_tile(int type, int tokens, const uint8_t *tile, const uint8_t *const *x, size_t columns,
                          size_t ahead, v16 *results) {
  v16 parts[4][CK_TOKENS_AT_ONCE];
  size_t c = 0;
  for (size_t segment = 0; segment < 4; segment++) {
    v16 acc[CK_TOKENS_AT_ONCE];
    CK_TOKENS acc[t] = (v16){};
    for (size_t end = (segment + 1) * columns / 4; c < end; c++) {
      if (ahead) ask_ahead(tile + ahead + (type == 0 ? 64 : 32) * c, type == 0 ? 64 : 32);
      v16 w = float_column(type, tile, c);
      CK_TOKENS acc[t] = CK_FMA(w, splat_float(x[t] + 4 * c), acc[t]);
    }
    CK_TOKENS parts[segment][t] = acc[t];
  }
  CK_TOKENS results[t] = (parts[0][t] + parts[1][t]) + (parts[2][t] + parts[3][t]);
}
