// Half floats to F32 and back, exact and rounded to nearest even.

CK_INLINE uint32_t bits_of(float x) {
  uint32_t b;
  memcpy(&b, &x, 4);
  return b;
}

CK_INLINE float float_of(uint32_t b) {
  float x;
  memcpy(&x, &b, 4);
  return x;
}

#if !CK_HARDWARE_HALF
/// Exact: the exponent is moved by a multiplication, which also normalises denormal halves.
CK_INLINE float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
  uint32_t rest = (uint32_t)(h & 0x7fffu);
  if (rest >= 0x7c00u) return float_of(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
  float magnitude = float_of(rest << 13) * float_of(0x77800000u);  // times 2^112
  return float_of(sign | bits_of(magnitude));
}
#endif

CK_INLINE uint16_t float_to_half(float x) {
  uint32_t b = bits_of(x), sign = (b >> 16) & 0x8000u;
  b &= 0x7fffffffu;
  if (b > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);      // NaN
  if (b >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);     // rounds to infinity
  if (b < 0x38800000u) {                                       // denormal half: add 0.5, read the bits
    float shifted = float_of(b) + 0.5f;
    return (uint16_t)(sign | (bits_of(shifted) - 0x3f000000u));
  }
  uint32_t odd = (b >> 13) & 1u;
  return (uint16_t)(sign | ((b - 0x38000000u + 0xfffu + odd) >> 13));
}

CK_INLINE uint16_t read16(const uint8_t *p) {
  uint16_t v;
  memcpy(&v, p, 2);
  return v;
}

CK_INLINE uint32_t read32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

#if CK_HARDWARE_HALF
/// By way of an integer register: inserting the two bytes into a vector register would make every block
/// wait for the one before it.
CK_INLINE float read_half(const uint8_t *p) {
  typedef int32_t i4 __attribute__((vector_size(16)));
  typedef int16_t s8 __attribute__((vector_size(16)));
  int32_t word = read16(p);
  __asm__("" : "+r"(word));  // keeps the compiler from inserting the bytes after all
  i4 bits = {word, 0, 0, 0};
  return __builtin_ia32_vcvtph2ps((s8)bits)[0];
}

typedef _Float16 h16u __attribute__((vector_size(32), aligned(1), may_alias));
CK_INLINE void halves_to_floats(const uint8_t *source, float *destination) {
  h16u h = *(const h16u *)source;
  CK_STORE(destination, __builtin_convertvector(h, v16));
}

/// Rounds as float_to_half does; a NaN keeps its sign only, as there.
CK_INLINE void floats_to_halves(const float *source, uint8_t *destination) {
  v16 x = CK_LOAD(source);
  i16x bits = (i16x)x, isNaN = x != x;
  const i16x nan = (i16x){} + 0x7fc00000, sign = (i16x){} + INT32_MIN;
  x = (v16)((isNaN & (nan | (bits & sign))) | (~isNaN & bits));
  *(h16u *)destination = __builtin_convertvector(x, h16u);
}
#else
CK_INLINE float read_half(const uint8_t *p) { return half_to_float(read16(p)); }

CK_INLINE void halves_to_floats(const uint8_t *source, float *destination) {
  for (int i = 0; i < 16; i++) destination[i] = read_half(source + 2 * i);
}

CK_INLINE void floats_to_halves(const float *source, uint8_t *destination) {
  for (int i = 0; i < 16; i++) {
    uint16_t h = float_to_half(source[i]);
    memcpy(destination + 2 * i, &h, 2);
  }
}
#endif
