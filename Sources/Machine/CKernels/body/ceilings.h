// What the machine can do at most: measurements are shown beside it.

/// How far ahead of the loads lines are asked for, in bytes.
enum { CK_READ_AHEAD = 4096 };

CK_INLINE uint32_t read_lines(const void *source, size_t byte_count, int ahead) {
  const uint8_t *p = source;
  u16x a = {}, b = {}, c = {}, d = {};
  for (size_t i = 0; i + 1024 <= byte_count; i += 1024)
#pragma clang loop unroll(full)
    for (size_t j = 0; j < 1024; j += 256) {
      if (ahead)
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 256; k += 64) __builtin_prefetch(p + i + j + k + CK_READ_AHEAD);
      a ^= (u16x)CK_LOAD(p + i + j);
      b ^= (u16x)CK_LOAD(p + i + j + 64);
      c ^= (u16x)CK_LOAD(p + i + j + 128);
      d ^= (u16x)CK_LOAD(p + i + j + 192);
    }
  a ^= b ^ c ^ d;
  uint32_t sum = 0;
  for (int i = 0; i < 16; i++) sum ^= a[i];
  return sum;
}

static uint32_t read_all(const void *source, size_t byte_count) { return read_lines(source, byte_count, 0); }

static uint32_t read_ahead(const void *source, size_t byte_count) { return read_lines(source, byte_count, 1); }

/// Twelve chains hide the latency of two units of four cycles each.
static float multiply_add(size_t iterations) {
  v16 s[12], factor = CK_SPLAT(0.999f), addend = CK_SPLAT(0.001f);
#pragma clang loop unroll(full)
  for (int i = 0; i < 12; i++) s[i] = CK_SPLAT((float)i);
  for (size_t n = 0; n < iterations; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) s[i] = CK_FMA(s[i], factor, addend);
  }
  v16 sum = {};
#pragma clang loop unroll(full)
  for (int i = 0; i < 12; i++) sum += s[i];
  return fold(sum);
}

#if CK_INT8_DOT >= 1
/// As many chains as the registers hold; 24 products an iteration, without an instruction of their own by
/// way of 16 bits. Each product gets its weights anew, or equal ones would be computed once.
static int32_t multiply_add_int8(size_t iterations) {
  enum { chains = CK_VECTOR_BITS == 512 ? 12 : 6 };
  i16x s[chains], w = (i16x){} + 0x01010101;
#pragma clang loop unroll(full)
  for (int i = 0; i < chains; i++) s[i] = (i16x){} + i;
  for (size_t n = 0; n < iterations; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 24; i++) s[i % chains] = part_add(s[i % chains], in_order(w), w, 0);
  }
  i16x sum = {};
#pragma clang loop unroll(full)
  for (int i = 0; i < chains; i++) sum += s[i];
  return sum[0];
}
#endif
