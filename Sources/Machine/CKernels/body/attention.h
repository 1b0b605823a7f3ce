// Attention: softmax(scale * Q K^T) V over a cache, in blocks of CK_ATTENTION_BLOCK (256) positions
// counted from position 0. All numbers are F32, no contraction but where fma is written.
//
// The arithmetic of one row (a token and a query head) that sees the positions first ... last:
//   1. The query, rounded once: q[c] = query[c] * scale. Cached keys and values are what their type says,
//      exactly (Q8_0: d * number, which F32 holds exactly).
//   2. For each block b, ascending, that holds visible positions (p in first ... last, 256 b <= p < 256 b + 256):
//      a. score[p] = fma over c ascending of (q[c], key[p][c], score), from +0.
//      b. m = the largest score, NaNs passed over; -infinity where there is none.
//      c. e[p] = exponential(score[p] - m).
//      d. sixteen partial sums from +0, e[p] added to number p mod 16 in ascending order; s = fold of the
//         sixteen (i + 8 to i, i + 4 to i, then (0 + 2) + (1 + 3)).
//      e. a[c] = fma over visible p ascending of (e[p], value[p][c], a[c]), from +0.
//   3. The first block is taken as it is: M = m, S = s, A = a. Each later one:
//         M' = m > M ? m : M, f = exponential(M - M'), g = exponential(m - M'),
//         S = fma(S, f, s * g), A[c] = fma(A[c], f, a[c] * g), M = M'.
//   4. With a sink z: M' = z > M ? z : M, f = exponential(M - M'), S = fma(S, f, exponential(z - M')),
//      out[c] = A[c] * f / S; without: out[c] = A[c] / S.
// Blocks do not depend on each other before step 3, so that they may be computed anywhere; step 3 runs in
// ascending order always. Nothing depends on the other rows, on tiles or on threads.

#include "attention_tiles.h"

/// The largest score of one or more blocks, and the sum of their exponentials beside it.
typedef struct {
  float largest, sum;
} softmax_state;

/// Where a row's numbers lie and which positions it sees, first ... last.
typedef struct {
  const float *query;
  float *out;
  float *state;
  int64_t first, last;
} attention_row;

CK_INLINE attention_row row_of(const ck_attention_job *job, size_t row) {
  size_t token = row / job->group, head = row % job->group;
  int64_t last = (int64_t)(job->position + token);
  int64_t first = job->window && last >= (int64_t)job->window ? last - (int64_t)job->window + 1 : 0;
  return (attention_row){job->queries + token * job->query_stride + head * job->key_length,
                         job->out + token * job->out_stride + head * job->value_length,
                         job->state ? job->state + token * job->state_stride + head * 2 : NULL, first, last};
}

/// What of first ... last lies in `count` positions from `start` on, counted from there.
typedef struct {
  size_t begin, end;
} lane_range;

CK_INLINE lane_range visible(int64_t first, int64_t last, int64_t start, int64_t count) {
  int64_t begin = first > start ? first - start : 0;
  int64_t end = last - start + 1 < count ? last - start + 1 : count;
  return begin < end ? (lane_range){(size_t)begin, (size_t)end} : (lane_range){0, 0};
}

CK_INLINE i16x lanes_within(size_t at, lane_range range) {
  const i16x lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  i16x p = lane + (int32_t)at;
  return (p >= (int32_t)range.begin) & (p < (int32_t)range.end);
}

CK_INLINE v16 chosen(i16x mask, v16 yes, v16 no) { return (v16)(((i16x)yes & mask) | ((i16x)no & ~mask)); }

/// The largest of sixteen numbers, none of them NaN.
CK_INLINE float largest_of(v16 x) {
  v8 a = __builtin_elementwise_max(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7),
                                   __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15));
  v4 c = __builtin_elementwise_max(__builtin_shufflevector(a, a, 0, 1, 2, 3),
                                   __builtin_shufflevector(a, a, 4, 5, 6, 7));
  float d = c[0] > c[2] ? c[0] : c[2], e = c[1] > c[3] ? c[1] : c[3];
  return d > e ? d : e;
}

/// Scores of a block become exponentials (steps b to d).
static softmax_state exponentials(float *scores, lane_range range) {
  size_t from = range.begin / 16 * 16;
  v16 top = CK_SPLAT(-__builtin_inff());
  for (size_t j = from; j < range.end; j += 16) {
    v16 s = CK_LOAD(scores + j);
    if (j < range.begin || j + 16 > range.end) s = chosen(lanes_within(j, range), s, CK_SPLAT(-__builtin_inff()));
    top = chosen(s > top, s, top);
  }
  float largest = largest_of(top);
  v16 m = CK_SPLAT(largest), sum = {};
  for (size_t j = from; j < range.end; j += 16) {
    v16 e = falling_exponential(CK_LOAD(scores + j) - m);
    if (j < range.begin || j + 16 > range.end) e = chosen(lanes_within(j, range), e, (v16){});
    CK_STORE(scores + j, e);
    sum += e;
  }
  return (softmax_state){largest, fold(sum)};
}

/// Two exponentials at once.
CK_INLINE void fades(float a, float b, float *x, float *y) {
  v16 e = exponential((v16){a, b});
  *x = e[0], *y = e[1];
}

/// Takes a block's result into a row's (step 3). sums: [pitch] each, whole vectors.
static void take_block(softmax_state *total, float *totals, softmax_state block, const float *sums, size_t pitch) {
  float largest = block.largest > total->largest ? block.largest : total->largest, f, g;
  fades(total->largest - largest, block.largest - largest, &f, &g);
  total->sum = __builtin_fmaf(total->sum, f, block.sum * g);
  total->largest = largest;
  v16 old = CK_SPLAT(f), new = CK_SPLAT(g);
  for (size_t c = 0; c < pitch; c += 16)
    CK_STORE(totals + c, CK_FMA(CK_LOAD(totals + c), old, CK_LOAD(sums + c) * new));
}

/// Step 4.
static void finish_row(const float *sink, softmax_state total, const float *totals, size_t count, float *out) {
  float sum = total.sum, f = 1;
  if (sink) {
    float largest = *sink > total.largest ? *sink : total.largest, own;
    fades(total.largest - largest, *sink - largest, &f, &own);
    sum = __builtin_fmaf(sum, f, own);
  }
  v16 fade = CK_SPLAT(f), divisor = CK_SPLAT(sum);
  CK_ELEMENTWISE(count, CK_STORE(out + i, CK_LOAD(totals + i) * fade / divisor),
                 store_tail(out + i, load_tail(totals + i, count - i) * fade / divisor, count - i));
}

/// Where a call's work lies in its scratch.
typedef struct {
  size_t query_pitch, value_pitch;
  float *queries, *keys, *values, *scores, *sums, *totals;
  softmax_state *blocks, *states;
} attention_space;

CK_INLINE attention_space space_of(const ck_attention_job *job, size_t rows, float *scratch) {
  attention_space s;
  s.query_pitch = (job->key_length + 31) / 32 * 32;
  s.value_pitch = ck_attention_pitch(job->value_length);
  s.queries = scratch;
  s.keys = s.queries + rows * s.query_pitch;
  s.values = s.keys + s.query_pitch * CK_ATTENTION_TILE;
  s.scores = s.values + s.value_pitch * CK_ATTENTION_TILE;
  s.sums = s.scores + rows * CK_ATTENTION_BLOCK;
  s.totals = s.sums + rows * s.value_pitch;
  s.blocks = (softmax_state *)(s.totals + rows * s.value_pitch);
  s.states = s.blocks + rows;
  return s;
}

/// The keys of a tile: where they lie, or transposed from the cache.
CK_INLINE const float *take_keys(const ck_attention_job *job, const attention_space *s, size_t index, size_t count) {
  if (job->key_tiles) return job->key_tiles + index * job->key_length;
  int code = fill_tile(job->cache_type, job->keys + index * job->key_stride, job->key_stride, count, job->key_length,
                       s->keys);
  return code ? NULL : s->keys;
}

/// The keys of the tile from position `index` on, for a look ahead.
CK_INLINE next_bytes following_keys(const ck_attention_job *job, size_t index) {
  if (job->key_tiles)
    return (next_bytes){(const uint8_t *)(job->key_tiles + index * job->key_length),
                        CK_ATTENTION_TILE * sizeof(float)};
  return (next_bytes){job->keys + index * job->key_stride, CK_ATTENTION_TILE * job->key_stride / job->key_length};
}

/// Rows of queries up to which values are read where they lie: each row tile turns them into F32 again.
enum { CK_ATTENTION_DIRECT_ROWS = 2 * CK_ATTENTION_ROW_TILE };

/// The values of a tile: where they lie, or in F32.
CK_INLINE int take_values(const ck_attention_job *job, const attention_space *s, size_t rows, size_t index,
                          size_t count, value_rows *found) {
  size_t stride = job->values ? job->value_stride : job->key_stride;
  const uint8_t *at = (job->values ? job->values : job->keys) + index * stride;
  if (job->value_length % 32 == 0 && (job->cache_type == 0 || rows <= CK_ATTENTION_DIRECT_ROWS)) {
    *found = (value_rows){at, stride, job->value_length, job->cache_type, CK_ATTENTION_TILE * stride};
    return 0;
  }
  size_t stored = job->cache_type == 8 ? s->value_pitch : job->value_length;
  *found = (value_rows){(const uint8_t *)s->values, s->value_pitch * 4, s->value_pitch, 0, 0};
  return fill_values(job->cache_type, at, stride, count, stored, s->value_pitch, s->values);
}

/// Weighted sums of a tile of rows: where all of them see a position they go together, before and
/// behind that each goes alone, so that no row ever meets the value of a position it does not see.
/// weights, sums: of the first of the rows, which is row `row`.
CK_INLINE void add_values(const ck_attention_job *job, const value_rows *values, int64_t start, size_t count,
                          size_t row, size_t rows, const float *weights, float *sums, size_t pitch) {
  lane_range all = {0, count}, each[CK_ATTENTION_ROW_TILE];
  for (size_t i = 0; i < rows; i++) {
    attention_row r = row_of(job, row + i);
    each[i] = visible(r.first, r.last, start, (int64_t)count);
    all.begin = each[i].begin > all.begin ? each[i].begin : all.begin;
    all.end = each[i].end < all.end ? each[i].end : all.end;
  }
  if (all.begin >= all.end) all.begin = all.end = count;  // none together: all of each comes before
  for (size_t i = 0; i < rows; i++) {
    size_t end = each[i].end < all.begin ? each[i].end : all.begin;
    if (each[i].begin < end)
      values_of_rows(1, weights + i * CK_ATTENTION_BLOCK, values, each[i].begin, end, sums + i * pitch, pitch);
  }
  if (all.begin < all.end) values_of_rows(rows, weights, values, all.begin, all.end, sums, pitch);
  for (size_t i = 0; i < rows; i++)
    if (all.begin < all.end && all.end < each[i].end)
      values_of_rows(1, weights + i * CK_ATTENTION_BLOCK, values, all.end, each[i].end, sums + i * pitch, pitch);
}

/// One block for all rows (step 2): s->blocks and s->sums are its result. `low` and `high` are the
/// lowest and the highest position of the block that any row sees.
static int attend_block(const ck_attention_job *job, const attention_space *s, size_t row_begin, size_t rows,
                        int64_t start, int64_t low, int64_t high) {
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t at = start + (low - start) / CK_ATTENTION_TILE * CK_ATTENTION_TILE; at <= high;
         at += CK_ATTENTION_TILE) {
      size_t count = (size_t)(high - at + 1 < CK_ATTENTION_TILE ? high - at + 1 : CK_ATTENTION_TILE);
      size_t index = (size_t)(at - (int64_t)job->origin), offset = (size_t)(at - start);
      value_rows values;
      const float *keys = NULL;
      next_bytes next = following_keys(job, index + CK_ATTENTION_TILE);
      if (pass == 0 && !(keys = take_keys(job, s, index, count))) return -1;
      if (pass == 1 && take_values(job, s, rows, index, count, &values)) return -1;
      for (size_t r = 0; r < rows; r += CK_ATTENTION_ROW_TILE) {
        size_t n = rows - r < CK_ATTENTION_ROW_TILE ? rows - r : CK_ATTENTION_ROW_TILE;
        // Rows are in the order of their tokens: the first sees the lowest position, the last the highest.
        lane_range range = visible(row_of(job, row_begin + r).first, row_of(job, row_begin + r + n - 1).last, at,
                                   (int64_t)count);
        if (range.begin >= range.end) continue;
        float *scores = s->scores + r * CK_ATTENTION_BLOCK + offset;
        if (pass == 0)
          scores_of_rows(n, s->queries + r * s->query_pitch, s->query_pitch, keys, job->key_length, range.begin,
                         range.end, next, scores, CK_ATTENTION_BLOCK);
        else
          add_values(job, &values, at, count, row_begin + r, n, scores, s->sums + r * s->value_pitch, s->value_pitch);
      }
    }
    if (pass == 1) break;
    memset(s->sums, 0, rows * s->value_pitch * sizeof(float));
    for (size_t r = 0; r < rows; r++) {
      attention_row row = row_of(job, row_begin + r);
      lane_range range = visible(row.first, row.last, start, CK_ATTENTION_BLOCK);
      if (range.begin < range.end) s->blocks[r] = exponentials(s->scores + r * CK_ATTENTION_BLOCK, range);
    }
  }
  return 0;
}

static int attention(const ck_attention_job *job, size_t row_begin, size_t row_end, size_t block_begin,
                     size_t block_end, int stage, float *partials, float *scratch) {
  size_t rows = row_end - row_begin;
  attention_space s = space_of(job, rows, scratch);
  int64_t first = row_of(job, row_begin).first, last = row_of(job, row_end - 1).last;
  for (size_t r = 0; r < rows; r++) {
    const float *query = row_of(job, row_begin + r).query;
    for (size_t c = 0; c < job->key_length; c++) s.queries[r * s.query_pitch + c] = query[c] * job->scale;
  }
  if (stage & CK_ATTENTION_RESUME)
    for (size_t r = 0; r < rows; r++) {
      attention_row row = row_of(job, row_begin + r);
      s.states[r] = (softmax_state){row.state[0], row.state[1]};
      for (size_t c = 0; c < s.value_pitch; c++)
        s.totals[r * s.value_pitch + c] = c < job->value_length ? row.out[c] : 0;
    }
  for (size_t block = block_begin; block < block_end; block++) {
    int64_t start = (int64_t)block * CK_ATTENTION_BLOCK, end = start + CK_ATTENTION_BLOCK - 1;
    int64_t low = first > start ? first : start, high = last < end ? last : end;
    if (low > high) continue;
    if (attend_block(job, &s, row_begin, rows, start, low, high)) return -1;
    for (size_t r = 0; r < rows; r++) {
      attention_row row = row_of(job, row_begin + r);
      if (row.first > end || row.last < start) continue;
      const float *sums = s.sums + r * s.value_pitch;
      if (partials) {
        float *to = partials + ((block - block_begin) * rows + r) * (s.value_pitch + 16);
        memcpy(to, sums, s.value_pitch * sizeof(float));
        memcpy(to + s.value_pitch, &s.blocks[r], sizeof(softmax_state));
      } else if (row.first >= start && row.first <= end) {  // the row's first block
        memcpy(s.totals + r * s.value_pitch, sums, s.value_pitch * sizeof(float));
        s.states[r] = s.blocks[r];
      } else {
        take_block(&s.states[r], s.totals + r * s.value_pitch, s.blocks[r], sums, s.value_pitch);
      }
    }
  }
  if (partials) return 0;
  for (size_t r = 0; r < rows; r++) {
    attention_row row = row_of(job, row_begin + r);
    const float *totals = s.totals + r * s.value_pitch;
    if (stage & CK_ATTENTION_SUSPEND) {
      row.state[0] = s.states[r].largest, row.state[1] = s.states[r].sum;
      memcpy(row.out, totals, job->value_length * sizeof(float));
    } else {
      const float *sink = job->sinks ? job->sinks + (row_begin + r) % job->group : NULL;
      finish_row(sink, s.states[r], totals, job->value_length, row.out);
    }
  }
  return 0;
}

/// Steps 3 and 4 for rows whose blocks' results lie in `partials`.
static void attention_merge(const ck_attention_job *job, size_t row_begin, size_t row_end, size_t from, size_t to,
                            size_t block_begin, size_t block_end, float *partials) {
  size_t rows = row_end - row_begin, pitch = ck_attention_pitch(job->value_length);
  for (size_t r = from - row_begin; r < to - row_begin; r++) {
    attention_row row = row_of(job, row_begin + r);
    float *totals = NULL;
    softmax_state total = {};
    for (size_t block = block_begin; block < block_end; block++) {
      int64_t start = (int64_t)block * CK_ATTENTION_BLOCK;
      if (row.first > start + CK_ATTENTION_BLOCK - 1 || row.last < start) continue;
      float *sums = partials + ((block - block_begin) * rows + r) * (pitch + 16);
      softmax_state own;
      memcpy(&own, sums + pitch, sizeof own);
      if (totals) {
        take_block(&total, totals, own, sums, pitch);
      } else {
        totals = sums;
        total = own;
      }
    }
    const float *sink = job->sinks ? job->sinks + (row_begin + r) % job->group : NULL;
    if (totals) finish_row(sink, total, totals, job->value_length, row.out);
  }
}
