// The one step that all int8 products consist of, as each instruction set does it best.
//
// A *part* collects products of unsigned weights with signed activations, four bytes a lane. With VNNI
// it is the exact sum of 32 bits itself. Without, it is 32 sums of pairs in 16 bits, which must be folded
// into the sum before they overflow: after `safe_groups` steps. Weights of eight bits are *wide*: with
// VNNI they are offset by 128, without they stay signed, and two of their products just fit 16 bits
// (2 * 128 * 127 < 32768).

enum { CK_WIDE_OFFSET = CK_INT8_DOT >= 2 ? 128 : 0 };

/// Two numbers of at most 16 bits in each lane.
CK_INLINE i16x pairs_of(i16x low, i16x high) { return (low & 0xffff) | (high << 16); }

/// The four bytes at p in all lanes.
CK_INLINE i16x splat_int(const uint8_t *p) {
  int32_t v;
  memcpy(&v, p, 4);
  return (i16x){} + v;
}

CK_INLINE v16 splat_float(const uint8_t *p) {
  float v;
  memcpy(&v, p, 4);
  return CK_SPLAT(v);
}

#if CK_INT8_DOT >= 2
/// sum[i] + the four products of the unsigned bytes of w[i] with the signed bytes of x[i], exact.
CK_INLINE i16x dot4(i16x sum, i16x w, i16x x) {
#if CK_VECTOR_BITS == 512
  return (i16x)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
#else
  __m256i s[2], a[2], b[2];
  memcpy(s, &sum, 64), memcpy(a, &w, 64), memcpy(b, &x, 64);
  for (int i = 0; i < 2; i++) s[i] = _mm256_dpbusd_avx_epi32(s[i], a[i], b[i]);
  memcpy(&sum, s, 64);
  return sum;
#endif
}

/// Groups whose products fit a part where the weights are at most `largest`.
CK_INLINE int safe_groups(int largest) {
  (void)largest;
  return 64;
}

/// The part that continues a sum.
CK_INLINE i16x part_begin(i16x sum) { return sum; }

CK_INLINE i16x part_add(i16x part, i16x w, i16x x, int wide) {
  (void)wide;
  return dot4(part, w, x);
}

/// The sum, with the part that continued it.
CK_INLINE i16x part_end(i16x sum, i16x part) {
  (void)sum;
  return part;
}

/// The sum and a part that began with zeros, this times a scale in the form of `part_scale`.
CK_INLINE i16x part_end_scaled(i16x sum, i16x part, i16x scale) { return sum + part * scale; }
CK_INLINE i16x part_scale(i16x scale) { return scale; }
#else
typedef int16_t pairs16 __attribute__((vector_size(64)));

CK_INLINE int safe_groups(int largest) { return 32767 / (254 * largest); }

CK_INLINE i16x part_begin(i16x sum) {
  (void)sum;
  return (i16x){};
}

/// Twice in a lane: the two sums of a lane are scaled in the step that adds them.
CK_INLINE i16x part_scale(i16x scale) { return pairs_of(scale, scale); }

#if CK_INT8_DOT == 1 && CK_VECTOR_BITS == 512
CK_INLINE i16x part_add(i16x part, i16x w, i16x x, int wide) {
  __m512i a = (__m512i)w, b = (__m512i)x;
  if (wide) {  // |w| times x with the sign of w
    __mmask64 negative = _mm512_movepi8_mask(a);
    a = _mm512_abs_epi8(a);
    b = _mm512_mask_sub_epi8(b, negative, _mm512_setzero_si512(), b);
  }
  return (i16x)_mm512_add_epi16((__m512i)part, _mm512_maddubs_epi16(a, b));
}

CK_INLINE i16x part_end_scaled(i16x sum, i16x part, i16x scale) {
  return sum + (i16x)_mm512_madd_epi16((__m512i)part, (__m512i)scale);
}
#elif CK_INT8_DOT == 1
CK_INLINE i16x part_add(i16x part, i16x w, i16x x, int wide) {
  __m256i s[2], a[2], b[2];
  memcpy(s, &part, 64), memcpy(a, &w, 64), memcpy(b, &x, 64);
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) {
    if (wide) {  // |w| times x with the sign of w
      b[i] = _mm256_sign_epi8(b[i], a[i]);
      a[i] = _mm256_abs_epi8(a[i]);
    }
    s[i] = _mm256_add_epi16(s[i], _mm256_maddubs_epi16(a[i], b[i]));
  }
  memcpy(&part, s, 64);
  return part;
}

CK_INLINE i16x part_end_scaled(i16x sum, i16x part, i16x scale) {
  __m256i s[2], p[2], f[2];
  memcpy(s, &sum, 64), memcpy(p, &part, 64), memcpy(f, &scale, 64);
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) s[i] = _mm256_add_epi32(s[i], _mm256_madd_epi16(p[i], f[i]));
  memcpy(&sum, s, 64);
  return sum;
}
#else
CK_INLINE i16x part_add(i16x part, i16x w, i16x x, int wide) {
  pairs16 a = (pairs16)w, b = (pairs16)x;
  pairs16 even = wide ? (a << 8) >> 8 : a & 255, odd = wide ? a >> 8 : (a >> 8) & 255;
  return (i16x)((pairs16)part + even * ((b << 8) >> 8) + odd * (b >> 8));
}

CK_INLINE i16x part_end_scaled(i16x sum, i16x part, i16x scale) {
  return sum + (((part << 16) >> 16) + (part >> 16)) * (scale >> 16);
}
#endif

CK_INLINE i16x part_end(i16x sum, i16x part) {
  return part_end_scaled(sum, part, (i16x){} + 0x00010001);
}
#endif

/// sum[i] + the two products of the 16-bit numbers of a[i] with those of b[i], exact.
CK_INLINE i16x pair_products(i16x sum, i16x a, i16x b) {
#if CK_INT8_DOT >= 2 && CK_VECTOR_BITS == 512
  return (i16x)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif CK_INT8_DOT >= 1 && CK_VECTOR_BITS == 512
  return sum + (i16x)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif CK_INT8_DOT >= 1
  __m256i p[2], q[2];
  memcpy(p, &a, 64), memcpy(q, &b, 64);
  for (int i = 0; i < 2; i++) p[i] = _mm256_madd_epi16(p[i], q[i]);
  memcpy(&a, p, 64);
  return sum + a;
#else
  return sum + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

/// table[the byte] for every byte of `indices`, which are below 16.
CK_INLINE i16x byte_lookup(const int8_t *table, i16x indices) {
#if CK_VECTOR_BITS == 512
  __m512i all = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
  return (i16x)_mm512_shuffle_epi8(all, (__m512i)indices);
#elif CK_BYTE_SHUFFLE
  __m256i all = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table)), q[2];
  memcpy(q, &indices, 64);
  for (int i = 0; i < 2; i++) q[i] = _mm256_shuffle_epi8(all, q[i]);
  memcpy(&indices, q, 64);
  return indices;
#else
  int8_t bytes[64];
  memcpy(bytes, &indices, 64);
  for (int i = 0; i < 64; i++) bytes[i] = table[bytes[i]];
  memcpy(&indices, bytes, 64);
  return indices;
#endif
}

/// Every byte shifted and masked: shift > 0 to the right, < 0 to the left. The mask repeats in each byte
/// and takes only bits that stem from the byte itself.
CK_INLINE i16x byte_bits(i16x v, int shift, int mask) {
  u16x u = (u16x)v;
  u = shift >= 0 ? u >> shift : u << -shift;
  return (i16x)(u & (uint32_t)(mask * 0x01010101));
}
