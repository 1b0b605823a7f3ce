// Products with weights of F16, BF16 and F32.
//
// Shape: sixteen rows (one packed tile) by `tokens`, a constant of each kernel; a column's weights are
// one vector, each token's number is broadcast. Bytes moved: the tile once for every group of tokens, the
// tokens' numbers once for every tile.

/// The weights of a column, exact.
CK_INLINE v16 float_column(int type, const uint8_t *tile, size_t column) {
  typedef uint16_t w16u __attribute__((vector_size(32), aligned(1), may_alias));
  if (type == 0) return CK_LOAD(tile + 64 * column);
  if (type == 1) return load_halves(tile + 32 * column);
  return (v16)(__builtin_convertvector(*(const w16u *)(tile + 32 * column), u16x) << 16);
}

/// The sums of `chains` segments from `first` on, side by side: one chain of sums alone would have to wait
/// for its own latency where tokens are few. Segments differ by one column at most.
CK_INLINE void float_segments(int type, int tokens, int chains, const uint8_t *tile, const uint8_t *x,
                              size_t columns, size_t first, size_t ahead, v16 (*parts)[CK_TOKENS_AT_ONCE]) {
  const int bytes = type == 0 ? 64 : 32;
  v16 sums[2][CK_TOKENS_AT_ONCE];
  CK_UNROLL for (int s = 0; s < chains; s++) CK_TOKENS sums[s][t] = (v16){};
  size_t shortest = columns / 4;
  for (size_t i = 0; i < shortest; i++)
    CK_UNROLL for (int s = 0; s < chains; s++) {
      size_t c = (first + (size_t)s) * columns / 4 + i;
      if (ahead) ask_ahead(tile + ahead + (size_t)bytes * c, bytes);
      v16 w = float_column(type, tile, c);
      CK_TOKENS sums[s][t] = CK_FMA(w, splat_float(word_of(x, tokens, t, 4 * c)), sums[s][t]);
    }
  CK_UNROLL for (int s = 0; s < chains; s++) {
    size_t c = (first + (size_t)s) * columns / 4 + shortest, end = (first + (size_t)s + 1) * columns / 4;
    if (c < end) {
      v16 w = float_column(type, tile, c);
      CK_TOKENS sums[s][t] = CK_FMA(w, splat_float(word_of(x, tokens, t, 4 * c)), sums[s][t]);
    }
    CK_TOKENS parts[s][t] = sums[s][t];
  }
}

/// Two segments at once ask for memory half a tile ahead, so that all of a tile has been asked for where
/// its turn comes.
CK_INLINE void float_tile(int type, int tokens, const uint8_t *tile, const uint8_t *x, size_t columns,
                          size_t ahead, v16 *results) {
  const int chains = type != 0 && tokens <= CK_TOKENS_AT_ONCE / 2 ? 2 : 1;
  if (chains == 2 && ahead) ahead = columns * 16;
  v16 parts[4][CK_TOKENS_AT_ONCE];
  for (size_t first = 0; first < 4; first += (size_t)chains)
    float_segments(type, tokens, chains, tile, x, columns, first, ahead, parts + first);
  CK_TOKENS results[t] = (parts[0][t] + parts[1][t]) + (parts[2][t] + parts[3][t]);
}
