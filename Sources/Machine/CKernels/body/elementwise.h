// Norms, activations, softmax. exp is one polynomial with explicit fused multiply-add.

/// exp(x): within 0.9 units in the last place of the true value for -87.33 <= x <= 88.37 (measured over
/// 14 million values of every size); 0 below, infinity above, NaN for NaN.
/// x = n ln 2 + r with |r| <= ln 2 / 2; exp(r) by its Taylor polynomial of degree 7 (the remainder is
/// below 6e-9); times 2^n in two steps, so that no exponent leaves its range on the way.
CK_INLINE v16 exponential(v16 x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  i16x below = x < CK_SPLAT(-87.33654f), above = x > CK_SPLAT(88.72284f);
  v16 c = (v16)(((i16x)x & ~(below | above)));
  v16 n = (CK_FMA(c, CK_SPLAT(1.44269504f), CK_SPLAT(magic))) - CK_SPLAT(magic);
  v16 r = CK_FMA(n, CK_SPLAT(-0.693145752f), c);
  r = CK_FMA(n, CK_SPLAT(-1.42860677e-6f), r);
  v16 p = CK_SPLAT(1.0f / 5040.0f);
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 720.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 120.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 24.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 6.0f));
  p = CK_FMA(p, r, CK_SPLAT(0.5f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f));
  i16x isNaN = c != c;
  i16x whole = __builtin_convertvector((v16)((i16x)n & ~isNaN), i16x);
  i16x half = whole >> 1;
  v16 a = (v16)((half + 127) << 23), b = (v16)((whole - half + 127) << 23);
  v16 y = p * a * b;
  const i16x infinity = (i16x){} + 0x7f800000;
  return (v16)(((i16x)y & ~(below | above)) | (above & infinity));
}

/// exponential(x), bit for bit, where x <= 0 or NaN, in half the operations: the power of two comes from the
/// bits of the rounding sum, and one multiplication by it rounds as the two steps do, whose first is exact.
CK_INLINE v16 falling_exponential(v16 x) {
  const v16 magic = CK_SPLAT(12582912.0f);
  v16 t = CK_FMA(x, CK_SPLAT(1.44269504f), magic);
  v16 n = t - magic;
  v16 r = CK_FMA(n, CK_SPLAT(-0.693145752f), x);
  r = CK_FMA(n, CK_SPLAT(-1.42860677e-6f), r);
  v16 p = CK_SPLAT(1.0f / 5040.0f);
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 720.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 120.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 24.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f / 6.0f));
  p = CK_FMA(p, r, CK_SPLAT(0.5f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f));
  p = CK_FMA(p, r, CK_SPLAT(1.0f));
  v16 power = (v16)(((u16x)t << 23) + 0x3f800000u);
  i16x below = x < CK_SPLAT(-87.33654f);
  return (v16)((i16x)(p * power) & ~below);
}

CK_INLINE v16 logistic(v16 x) { return CK_SPLAT(1.0f) / (CK_SPLAT(1.0f) + exponential(-x)); }

/// Runs `body_full` for every whole group of sixteen at i, and `body_tail` once for what is left.
#define CK_ELEMENTWISE(count, body_full, body_tail) \
  size_t i = 0;                                     \
  for (; i + 16 <= (count); i += 16) body_full;     \
  if (i < (count)) body_tail

static void rms_norm(const float *x, const float *weight, float epsilon, float *y, size_t count) {
  v16 sum = {};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) sum = CK_FMA(CK_LOAD(x + i), CK_LOAD(x + i), sum);
  if (i < count) {
    v16 t = load_tail(x + i, count - i);
    sum = CK_FMA(t, t, sum);
  }
  float scale = 1.0f / __builtin_sqrtf(fold(sum) / (float)count + epsilon);
  v16 s = CK_SPLAT(scale);
  for (i = 0; i + 16 <= count; i += 16) CK_STORE(y + i, CK_LOAD(x + i) * s * CK_LOAD(weight + i));
  if (i < count)
    store_tail(y + i, load_tail(x + i, count - i) * s * load_tail(weight + i, count - i), count - i);
}

static void add_scaled(float *y, const float *x, float scale, size_t count) {
  v16 s = CK_SPLAT(scale);
  CK_ELEMENTWISE(count, CK_STORE(y + i, CK_FMA(s, CK_LOAD(x + i), CK_LOAD(y + i))),
                 store_tail(y + i, CK_FMA(s, load_tail(x + i, count - i), load_tail(y + i, count - i)), count - i));
}

CK_INLINE v16 silu_product(v16 g, v16 u) { return g * logistic(g) * u; }

static void silu_multiply(float *gate, const float *up, size_t count) {
  CK_ELEMENTWISE(count, CK_STORE(gate + i, silu_product(CK_LOAD(gate + i), CK_LOAD(up + i))),
                 store_tail(gate + i, silu_product(load_tail(gate + i, count - i), load_tail(up + i, count - i)), count - i));
}

CK_INLINE v16 lesser(v16 a, v16 b) {
  i16x m = a > b;  // NaN in a stays
  return (v16)(((i16x)b & m) | ((i16x)a & ~m));
}

CK_INLINE v16 greater(v16 a, v16 b) {
  i16x m = a < b;
  return (v16)(((i16x)b & m) | ((i16x)a & ~m));
}

CK_INLINE v16 clamped_product(v16 g, v16 u, v16 alpha, v16 limit) {
  g = lesser(g, limit);
  u = greater(lesser(u, limit), -limit);
  return g * logistic(alpha * g) * (u + CK_SPLAT(1.0f));
}

static void clamped_swiglu(float *gate, const float *up, float alpha, float limit, size_t count) {
  v16 a = CK_SPLAT(alpha), l = CK_SPLAT(limit);
  CK_ELEMENTWISE(count, CK_STORE(gate + i, clamped_product(CK_LOAD(gate + i), CK_LOAD(up + i), a, l)),
                 store_tail(gate + i, clamped_product(load_tail(gate + i, count - i), load_tail(up + i, count - i), a, l), count - i));
}

static void softmax(float *x, size_t count) {
  float largest = -__builtin_inff();
  for (size_t i = 0; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  v16 m = CK_SPLAT(largest), sum = {};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    v16 e = exponential(CK_LOAD(x + i) - m);
    CK_STORE(x + i, e);
    sum += e;
  }
  if (i < count) {
    store_tail(x + i, exponential(load_tail(x + i, count - i) - m), count - i);
    sum += load_tail(x + i, count - i);
  }
  v16 total = CK_SPLAT(fold(sum));
  for (i = 0; i + 16 <= count; i += 16) CK_STORE(x + i, CK_LOAD(x + i) / total);
  if (i < count) store_tail(x + i, load_tail(x + i, count - i) / total, count - i);
}

static void sigmoid(float *x, size_t count) {
  CK_ELEMENTWISE(count, CK_STORE(x + i, logistic(CK_LOAD(x + i))),
                 store_tail(x + i, logistic(load_tail(x + i, count - i)), count - i));
}

/// Sixteen pairs: a and b become a c - b s and a s + b c.
CK_INLINE void rotate_pairs(v16 *a, v16 *b, v16 c, v16 s) {
  v16 turned = *a * c - *b * s;
  *b = *a * s + *b * c;
  *a = turned;
}

static void rotate(float *x, const float *cosines, const float *sines, size_t pairs, int halves) {
  size_t i = 0;
  for (; i + 16 <= pairs; i += 16) {
    v16 c = CK_LOAD(cosines + i), s = CK_LOAD(sines + i), a, b;
    if (halves) {
      a = CK_LOAD(x + i), b = CK_LOAD(x + pairs + i);
      rotate_pairs(&a, &b, c, s);
      CK_STORE(x + i, a);
      CK_STORE(x + pairs + i, b);
    } else {
      v16 low = CK_LOAD(x + 2 * i), high = CK_LOAD(x + 2 * i + 16);
      a = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
      b = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
      rotate_pairs(&a, &b, c, s);
      CK_STORE(x + 2 * i, __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      CK_STORE(x + 2 * i + 16,
               __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
    }
  }
  size_t step = halves ? 1 : 2, partner = halves ? pairs : 1;
  for (; i < pairs; i++) {
    float a = x[i * step], b = x[i * step + partner], c = cosines[i], s = sines[i];
    x[i * step] = a * c - b * s;
    x[i * step + partner] = a * s + b * c;
  }
}
