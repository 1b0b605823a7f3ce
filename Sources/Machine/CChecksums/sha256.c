#include "checksums.h"

// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// --- Any processor -------------------------------------------------------------------------------

static uint32_t rotated(uint32_t word, int count) {
  return word >> count | word << (32 - count);
}

static uint32_t word_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// FIPS 180-4, 6.2.2.
void hybrimoe_sha256_plain(uint32_t state[8], const uint8_t *bytes, size_t block_count) {
  for (; block_count > 0; block_count--, bytes += 64) {
    uint32_t words[64];
    for (int i = 0; i < 16; i++) words[i] = word_at(bytes + 4 * i);
    for (int i = 16; i < 64; i++) {
      const uint32_t early = words[i - 15], late = words[i - 2];
      words[i] = (rotated(late, 17) ^ rotated(late, 19) ^ late >> 10) + words[i - 7] +
                 (rotated(early, 7) ^ rotated(early, 18) ^ early >> 3) + words[i - 16];
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
      const uint32_t first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) +
                             ((e & f) ^ (~e & g)) + constants[i] + words[i];
      const uint32_t second =
          (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

// --- x86 with its instructions for SHA -----------------------------------------------------------

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

// The instructions keep the eight words as (f, e, b, a) and (h, g, d, c), lowest first, and compute
// two rounds at once.
__attribute__((target("sha,sse4.1"))) static void with_instructions(
    uint32_t state[8], const uint8_t *bytes, size_t block_count) {
  const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
  __m128i feba = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i hgdc = _mm_blend_epi16(hgfe, badc, 0xF0);
  for (; block_count > 0; block_count--, bytes += 64) {
    const __m128i first = feba, second = hgdc;
    __m128i words[4];
    for (int i = 0; i < 16; i++) {
      __m128i now;
      if (i < 4) {
        now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), swap);
      } else {
        // Words are made from those 16, 15, 7 and 2 before them.
        const __m128i last = words[(i + 3) & 3];
        now = _mm_sha256msg1_epu32(words[i & 3], words[(i + 1) & 3]);
        now = _mm_add_epi32(now, _mm_alignr_epi8(last, words[(i + 2) & 3], 4));
        now = _mm_sha256msg2_epu32(now, last);
      }
      words[i & 3] = now;
      const __m128i sum = _mm_add_epi32(now, _mm_load_si128((const __m128i *)(constants + 4 * i)));
      hgdc = _mm_sha256rnds2_epu32(hgdc, feba, sum);
      feba = _mm_sha256rnds2_epu32(feba, hgdc, _mm_shuffle_epi32(sum, 0x0E));
    }
    feba = _mm_add_epi32(feba, first);
    hgdc = _mm_add_epi32(hgdc, second);
  }
  const __m128i abef = _mm_shuffle_epi32(feba, 0x1B);
  const __m128i ghcd = _mm_shuffle_epi32(hgdc, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(abef, ghcd, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(ghcd, abef, 8));
}

static int has_instructions(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}
#endif

void hybrimoe_sha256(uint32_t state[8], const uint8_t *bytes, size_t block_count) {
#if defined(__x86_64__)
  if (has_instructions()) {
    with_instructions(state, bytes, block_count);
    return;
  }
#endif
  hybrimoe_sha256_plain(state, bytes, block_count);
}
