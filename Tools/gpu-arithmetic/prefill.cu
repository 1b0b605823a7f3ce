// Products of packed weights with records of activations on tensor cores: the inner loops only, written to
// show that the order of Docs/ARITHMETIC.md suits `mma.sync` on bytes. Nothing runs it but check.cpp, on a CPU,
// which compares the bits with golden vectors.
// Layouts: Sources/Machine/CKernels/include/ckernels_packed.h.
#include "common.cuh"

/// A matrix's packed tiles, records of tokens, results [tokens, rows]. `n` blocks in a row.
struct Product {
  const u8 *tiles;
  const u8 *records;
  float *y;
  u32 tile_bytes, record_bytes, rows, tokens, n;
};

DEVICE u32 lines(u32 bytes) { return (bytes + 63) / 64 * 64; }
DEVICE u32 word(const u8 *p) { return *(const u32 *)p; }
DEVICE u16 half_at(const u8 *p) { return *(const u16 *)p; }
DEVICE u32 segment_begin(u32 segment, u32 n) { return segment * n / 4; }

/// Groups k and 4 + k of a block of Q5_0: four bits of each number in w, the fifth in bit k or 4 + k of h.
DEVICE u32 low_five(u32 w, u32 h, u32 k) { return (w & 0x0f0f0f0f) | (h >> k & 0x01010101) << 4; }
DEVICE u32 high_five(u32 w, u32 h, u32 k) { return (w >> 4 & 0x0f0f0f0f) | (h >> (4 + k) & 0x01010101) << 4; }

// A block of 128 threads takes a tile and 32 tokens, a warp of it a segment. m16n8k32 wants of A, in a lane
// of group q = lane / 4 and place t = lane % 4, columns 4 t ... 4 t + 3 and 16 + 4 t ... of rows q and q + 8:
// four words of a packed tile as they lie. Results: rows q, q, q + 8, q + 8 of tokens 2 t, 2 t + 1, ...

enum { TILES_OF_TOKENS = 4, TOKENS = 8 * TILES_OF_TOKENS };

DEVICE const u8 *record_of(const Product &p, u32 token) {
  return p.records + (token < p.tokens ? token : p.tokens - 1) * p.record_bytes;
}

/// The fragment of A whose first words lie at `vectors`: groups t and 4 + t of rows q and q + 8.
DEVICE void load_a(u32 a[4], const u8 *vectors, u32 q, u32 t) {
  for (u32 i = 0; i < 4; i++) a[i] = word(vectors + 64 * (t + i / 2 * 4) + 4 * (q + i % 2 * 8));
}

/// (p0 + p1) + (p2 + p3) of a tile and 32 tokens, each warp's part in acc.
DEVICE void finish_tokens(const Product &p, u32 tile, u32 first, float acc[TILES_OF_TOKENS][4]) {
  SHARED float parts[4][TOKENS][16];
  u32 warp = threadIdx.x / 32, q = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  for (u32 j = 0; j < TILES_OF_TOKENS; j++)
    for (u32 i = 0; i < 4; i++) parts[warp][8 * j + 2 * t + i % 2][q + i / 2 * 8] = acc[j][i];
  __syncthreads();
  for (u32 at = threadIdx.x; at < TOKENS * 16; at += 128) {
    u32 token = at / 16, row = at % 16;
    if (first + token >= p.tokens || tile * 16 + row >= p.rows) continue;
    float lower = __fadd_rn(parts[0][token][row], parts[1][token][row]);
    float upper = __fadd_rn(parts[2][token][row], parts[3][token][row]);
    p.y[(first + token) * p.rows + tile * 16 + row] = __fadd_rn(lower, upper);
  }
}

KERNEL(prefill_q4_k)(const Product p) {
  u32 tile = blockIdx.x, first = blockIdx.y * TOKENS, segment = threadIdx.x / 32, n = p.n;
  u32 q = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  float acc[TILES_OF_TOKENS][4] = {};
  for (u32 b = segment_begin(segment, n); b < segment_begin(segment + 1, n); b++) {
    const u8 *block = p.tiles + tile * p.tile_bytes + 2368 * b;
    int isum[TILES_OF_TOKENS][4] = {};
    for (u32 i = 0; i < 4; i++) {
      u32 a[4], low[4], high[4];
      load_a(a, block + 320 + 512 * i, q, t);
      for (u32 r = 0; r < 4; r++) low[r] = a[r] & 0x0f0f0f0f, high[r] = a[r] >> 4 & 0x0f0f0f0f;
      int scales[2][2];  // [sub-block][row q, row q + 8]
      for (u32 s = 0; s < 4; s++) scales[s / 2][s % 2] = block[64 + 32 * i + 16 * (s / 2) + q + 8 * (s % 2)];
      for (u32 j = 0; j < TILES_OF_TOKENS; j++) {
        const u8 *x = record_of(p, first + 8 * j + q) + 256 * b + 64 * i + 4 * t;
        int c[2][4] = {};
        mma_u8(c[0], low, word(x), word(x + 16));
        mma_u8(c[1], high, word(x + 32), word(x + 48));
        for (u32 e = 0; e < 4; e++) isum[j][e] += scales[0][e / 2] * c[0][e] + scales[1][e / 2] * c[1][e];
      }
    }
    for (u32 j = 0; j < TILES_OF_TOKENS; j++)
      for (u32 e = 0; e < 4; e++) {
        u32 row = q + e / 2 * 8;
        const u8 *scales = record_of(p, first + 8 * j + 2 * t + e % 2) + lines(256 * n);
        const u8 *sums32 = scales + lines(4 * n) + lines(32 * n) + 16 * b;
        int msum = 0;
        for (u32 i = 0; i < 4; i++)
          msum = __dp2a_lo((int)word(sums32 + 4 * i), (int)half_at(block + 192 + 32 * i + 2 * row), msum);
        float dx = *(const float *)(scales + 4 * b), sum = acc[j][e];
        sum = __fmaf_rn(__fmul_rn(float_of_half(half_at(block + 2 * row)), dx), (float)isum[j][e], sum);
        acc[j][e] = __fmaf_rn(-__fmul_rn(float_of_half(half_at(block + 32 + 2 * row)), dx), (float)msum, sum);
      }
  }
  finish_tokens(p, tile, first, acc);
}

KERNEL(prefill_q5_0)(const Product p) {
  u32 tile = blockIdx.x, first = blockIdx.y * TOKENS, segment = threadIdx.x / 32, n = p.n;
  u32 q = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const u8 *d = p.tiles + tile * p.tile_bytes, *fifths = d + lines(32 * n), *nibbles = fifths + 64 * n;
  float acc[TILES_OF_TOKENS][4] = {};
  for (u32 b = segment_begin(segment, n); b < segment_begin(segment + 1, n); b++) {
    u32 a[4];  // groups t (low) and 4 + t (high) lie in the same word
    for (u32 i = 0; i < 2; i++) {
      u32 w = word(nibbles + 256 * b + 64 * t + 4 * (q + 8 * i)), h = word(fifths + 64 * b + 4 * (q + 8 * i));
      a[i] = low_five(w, h, t), a[2 + i] = high_five(w, h, t);
    }
    for (u32 j = 0; j < TILES_OF_TOKENS; j++) {
      const u8 *x = record_of(p, first + 8 * j + q) + 32 * b + 4 * t;
      int c[4];
      for (u32 e = 0; e < 4; e++) {  // the sums begin at -16 times the sum of the activations
        const u8 *scales = record_of(p, first + 8 * j + 2 * t + e % 2) + lines(32 * n);
        c[e] = (int)word(scales + 2 * lines(4 * n) + 4 * b);
      }
      mma_u8(c, a, word(x), word(x + 16));
      for (u32 e = 0; e < 4; e++) {
        const u8 *scales = record_of(p, first + 8 * j + 2 * t + e % 2) + lines(32 * n);
        float dw = float_of_half(half_at(d + 32 * b + 2 * (q + e / 2 * 8))), dx = *(const float *)(scales + 4 * b);
        acc[j][e] = __fmaf_rn(__fmul_rn(dw, dx), (float)c[e], acc[j][e]);
      }
    }
  }
  finish_tokens(p, tile, first, acc);
}
