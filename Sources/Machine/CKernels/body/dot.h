// The one step that all int8 products consist of.

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
#endif
