// Vectors of packed weights to unsigned bytes, and their products with the numbers of some tokens.

CK_INLINE i16x load_vector(const uint8_t *p) { return (i16x)CK_LOAD(p); }

/// The numbers of IQ4, with the offset of wide weights (dot.h).
#define CK_IQ4(n) (int8_t)((n) + CK_WIDE_OFFSET)
static const int8_t ck_iq4_table[16] = {
    CK_IQ4(-127), CK_IQ4(-104), CK_IQ4(-83), CK_IQ4(-65), CK_IQ4(-49), CK_IQ4(-35), CK_IQ4(-22), CK_IQ4(-10),
    CK_IQ4(1),    CK_IQ4(13),   CK_IQ4(25),  CK_IQ4(38),  CK_IQ4(53),  CK_IQ4(69),  CK_IQ4(89),  CK_IQ4(113)};

/// The weights of group g of sub-block first + j, unsigned, where `first` is a multiple of the step.
CK_INLINE i16x k_group(int type, const uint8_t *block, int first, int j, int g) {
  switch (type) {
  case 12: return byte_bits(load_vector(block + 320 + 512 * (first / 2 + j / 2) + 64 * g), 4 * (j % 2), 15);
  case 13:
    return byte_bits(load_vector(block + 832 + 512 * (first / 2 + j / 2) + 64 * g), 4 * (j % 2), 15) |
           (byte_bits((i16x)((u16x)load_vector(block + 320 + 64 * g) >> (uint32_t)first), j, 1) << 4);
  case 14:
    return byte_bits(load_vector(block + 320 + 256 * (first / 2 + j / 2) + 64 * g), 4 * (j % 2), 15) |
           byte_bits(load_vector(block + 2368 + 256 * (first / 4) + 64 * g), 2 * j - 4, 48);
  case 10: return byte_bits(load_vector(block + 320 + 256 * (first / 4) + 64 * g), 2 * j, 3);
  case 11:
    return byte_bits(load_vector(block + 320 + 256 * (first / 4 + j / 4) + 64 * g), 2 * (j % 4), 3) |
           byte_bits(load_vector(block + 1344 + 256 * (first / 8) + 64 * g), j - 2, 4);
  default:
    return byte_lookup(ck_iq4_table, byte_bits(load_vector(block + 192 + 512 * (first / 2 + j / 2) + 64 * g),
                                               4 * (j % 2), 15));
  }
}

/// The doubled numbers of e2m1, plus 16.
static const int8_t ck_e2m1_table[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

/// The weights of group g, unsigned (wide ones: see dot.h). numbers and fifths: of the block.
CK_INLINE i16x small_group(int type, const uint8_t *numbers, const uint8_t *fifths, int g) {
  if (type == 8) return load_vector(numbers + 64 * g) ^ ((i16x){} + (int32_t)(CK_WIDE_OFFSET * 0x01010101u));
  i16x nibbles = byte_bits(load_vector(numbers + 64 * (g % 4)), 4 * (g / 4), 15);
  if (type == 20) return byte_lookup(ck_iq4_table, nibbles);
  if (type == 39) return byte_lookup(ck_e2m1_table, nibbles);
  if (type == 6 || type == 7) return nibbles | byte_bits(load_vector(fifths), g - 4, 16);
  return nibbles;
}

/// The largest of the unsigned weights of a type; 128: its weights are wide (see dot.h).
CK_INLINE int largest_weight(int type) {
  switch (type) {
  case 10: return 3;
  case 11: return 7;
  case 2: case 3: case 12: return 15;
  case 39: return 28;
  case 6: case 7: case 13: return 31;
  case 14: return 63;
  default: return 128;
  }
}

/// Where weights lie: sub-block first + j of the block of 256 at `numbers`; or the block of 32 with its
/// bytes or nibbles at `numbers` and its fifth bits at `fifths`.
typedef struct {
  const uint8_t *numbers, *fifths;
  int first, j;
} weights_place;

CK_INLINE i16x weights_group(int type, weights_place p, int g) {
  return ck_activation_width((uint32_t)type) == 256 ? k_group(type, p.numbers, p.first, p.j, g)
                                                    : small_group(type, p.numbers, p.fifths, g);
}

/// v, computed here: the compiler may not move what v needs, nor what needs v, across this point. Left alone
/// it may first broadcast the groups of all tokens, and keep them on the stack.
CK_INLINE i16x in_order(i16x v) {
#if CK_VECTOR_BITS == 512
  __asm__ volatile("" : "+v"(v));
#elif CK_VECTOR_BITS == 256
  __m256i halves[2];
  memcpy(halves, &v, 64);
  __asm__ volatile("" : "+x"(halves[0]), "+x"(halves[1]));
  memcpy(&v, halves, 64);
#endif
  return v;
}

/// sums[t] += scale times the products of `groups` groups of weights with the numbers of token t from byte
/// `at` of its record on; without a scale where it is null. x: the tokens' panel.
///
/// All tokens take a group before the next one is unpacked, so that as many sums grow side by side. Where
/// that are too few to hide the latency of a product, or where a sub-block is short, all groups are
/// unpacked, one token follows the other, and the processor overlaps them itself.
CK_INLINE void dot_groups(int type, int tokens, weights_place place, const uint8_t *x, size_t at, int groups,
                          const i16x *scale, i16x *sums) {
  const int wide = largest_weight(type) > 127, safe = safe_groups(largest_weight(type));
#if CK_VECTOR_BITS == 512
  if (tokens < 4 || groups == 4) {
    i16x w[8];
    CK_UNROLL for (int g = 0; g < groups; g++) w[g] = weights_group(type, place, g);
    CK_TOKENS {
      CK_UNROLL for (int begin = 0; begin < groups; begin += safe) {
        i16x part = part_begin(scale ? (i16x){} : sums[t]);
        CK_UNROLL for (int g = begin; g < groups && g < begin + safe; g++)
          part = part_add(part, w[g], splat_int(word_of(x, tokens, t, at + 4 * (size_t)g)), wide);
        sums[t] = scale ? part_end_scaled(sums[t], part, *scale) : part_end(sums[t], part);
      }
      if (CK_INT8_DOT < 2 || groups == 4 || (scale && tokens > 8)) sums[t] = in_order(sums[t]);
    }
    return;
  }
#endif
  CK_UNROLL for (int begin = 0; begin < groups; begin += safe) {
    i16x part[CK_TOKENS_AT_ONCE];
    CK_TOKENS part[t] = part_begin(scale ? (i16x){} : sums[t]);
    CK_UNROLL for (int g = begin; g < groups && g < begin + safe; g++) {
      i16x w = weights_group(type, place, g);
      CK_TOKENS part[t] = in_order(part_add(part[t], w, splat_int(word_of(x, tokens, t, at + 4 * (size_t)g)), wide));
    }
    CK_TOKENS sums[t] = scale ? part_end_scaled(sums[t], part[t], *scale) : part_end(sums[t], part[t]);
  }
}
