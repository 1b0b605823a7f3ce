// What the kernels use of CUDA's language, for a C++ compiler: the very same .cu files compile with it and
// run in `gpu_host::run`. Numbers come out as on a GPU that compiles with -fmad=false, IEEE division and
// square root, and without flush to zero.
#pragma once
#pragma STDC FP_CONTRACT OFF
#pragma clang fp contract(off)
#include <cmath>
#include <cstring>
#include <type_traits>

#include "blocks.h"

// Also in debug builds, where kernels are not optimised and most of their time would go into calls.
#define GPU_HOST_INLINE __attribute__((always_inline)) static inline

#define __global__ static
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// Blocks run one after another on a host thread. As on a GPU, nothing sets it to zero.
#define __shared__ static thread_local

#define threadIdx gpu_host::thread
#define blockIdx gpu_host::block
#define blockDim gpu_host::block_size
#define gridDim gpu_host::grid_size
#define warpSize 32

struct int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };

// --- Barriers ------------------------------------------------------------------------------------
//
// The line is a barrier's name: threads that wait at different ones are found.

GPU_HOST_INLINE void __syncthreads(int line = __builtin_LINE()) { gpu_host::wait_for_block(line); }

GPU_HOST_INLINE int __syncthreads_count(int predicate, int line = __builtin_LINE()) {
  return (int)gpu_host::sum_over_block(predicate != 0, line);
}

GPU_HOST_INLINE int __syncthreads_or(int predicate, int line = __builtin_LINE()) {
  return gpu_host::sum_over_block(predicate != 0, line) != 0;
}

GPU_HOST_INLINE int __syncthreads_and(int predicate, int line = __builtin_LINE()) {
  return gpu_host::sum_over_block(predicate == 0, line) == 0;
}

GPU_HOST_INLINE void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE()) {
  gpu_host::exchange(mask, nullptr, 0, line);
}

GPU_HOST_INLINE void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
GPU_HOST_INLINE void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
GPU_HOST_INLINE void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// --- Exchanges within a warp ---------------------------------------------------------------------

namespace gpu_host {

GPU_HOST_INLINE unsigned linear_thread() {
  return thread.x + block_size.x * (thread.y + block_size.y * thread.z);
}
GPU_HOST_INLINE unsigned this_lane() { return linear_thread() % LANES; }

/// The value of lane `from`; of a lane that has ended or is not in the mask it is not defined: ones.
template <typename T>
GPU_HOST_INLINE T shuffle(unsigned mask, T value, unsigned from, int line) {
  static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
  uint32_t words[sizeof(T) / 4];
  memcpy(words, &value, sizeof(T));
  Exchanged all = exchange(mask, words, sizeof(T) / 4, line);
  memcpy(&value, all[from], sizeof(T));
  return value;
}

}  // namespace gpu_host

template <typename T>
GPU_HOST_INLINE T __shfl_sync(unsigned mask, T value, int lane, int width = 32, int line = __builtin_LINE()) {
  unsigned own = gpu_host::this_lane(), w = (unsigned)width;
  return gpu_host::shuffle(mask, value, own / w * w + (unsigned)lane % w, line);
}

template <typename T>
GPU_HOST_INLINE T __shfl_xor_sync(unsigned mask, T value, int by, int width = 32, int line = __builtin_LINE()) {
  unsigned own = gpu_host::this_lane(), w = (unsigned)width, from = own ^ (unsigned)by;
  return gpu_host::shuffle(mask, value, from / w <= own / w ? from : own, line);
}

template <typename T>
GPU_HOST_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32,
                                  int line = __builtin_LINE()) {
  unsigned own = gpu_host::this_lane(), w = (unsigned)width;
  return gpu_host::shuffle(mask, value, own % w + by < w ? own + by : own, line);
}

template <typename T>
GPU_HOST_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32,
                                  int line = __builtin_LINE()) {
  unsigned own = gpu_host::this_lane(), w = (unsigned)width;
  return gpu_host::shuffle(mask, value, own % w >= by ? own - by : own, line);
}

GPU_HOST_INLINE unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
  uint32_t word = predicate != 0;
  gpu_host::Exchanged all = gpu_host::exchange(mask, &word, 1, line);
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < 32; lane++) ballot |= (unsigned)(all[lane][0] == 1) << lane;
  return ballot;
}

GPU_HOST_INLINE int __any_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
  return __ballot_sync(mask, predicate, line) != 0;
}

GPU_HOST_INLINE int __all_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
  return __ballot_sync(mask, !predicate, line) == 0;
}

/// c + A B for a warp: A 16 rows x 32 columns of unsigned bytes, B 32 columns x 8 of signed ones; fragments
/// as the PTX manual draws them for m16n8k32 (row.col).
GPU_HOST_INLINE void mma_m16n8k32(int c[4], const unsigned a[4], unsigned b0, unsigned b1, int line) {
  const uint32_t mine[6] = {a[0], a[1], a[2], a[3], b0, b1};
  gpu_host::Exchanged all = gpu_host::exchange(0xffffffffu, mine, 6, line);
  unsigned lane = gpu_host::this_lane();
  for (unsigned e = 0; e < 4; e++) {
    unsigned row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
    for (unsigned k = 0; k < 32; k++) {
      uint32_t from_a = all[row % 8 * 4 + k % 16 / 4][row / 8 + k / 16 * 2];
      uint32_t from_b = all[column * 4 + k % 16 / 4][4 + k / 16];
      c[e] += (uint8_t)(from_a >> (8 * (k % 4))) * (int8_t)(from_b >> (8 * (k % 4)));
    }
  }
}

// --- Integers ------------------------------------------------------------------------------------
//
// Sums wrap, as a GPU's do.

namespace gpu_host {

template <typename A, typename B>
GPU_HOST_INLINE unsigned dot4(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 4; i++) c += (unsigned)((A)(a >> (8 * i)) * (B)(b >> (8 * i)));
  return c;
}

template <typename A, typename B>
GPU_HOST_INLINE unsigned dot2(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 2; i++) c += (unsigned)((A)(a >> (16 * i)) * (B)(b >> (8 * i)));
  return c;
}

}  // namespace gpu_host

GPU_HOST_INLINE int __dp4a(int a, int b, int c) {
  return (int)gpu_host::dot4<int8_t, int8_t>((unsigned)a, (unsigned)b, (unsigned)c);
}
GPU_HOST_INLINE unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  return gpu_host::dot4<uint8_t, uint8_t>(a, b, c);
}
GPU_HOST_INLINE int __dp2a_lo(int a, int b, int c) {
  return (int)gpu_host::dot2<int16_t, int8_t>((unsigned)a, (unsigned)b, (unsigned)c);
}
GPU_HOST_INLINE unsigned __dp2a_lo(unsigned a, unsigned b, unsigned c) {
  return gpu_host::dot2<uint16_t, uint8_t>(a, b, c);
}
GPU_HOST_INLINE unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  uint64_t both = (uint64_t)y << 32 | x;
  unsigned result = 0;
  for (int i = 0; i < 4; i++) result |= (unsigned)(uint8_t)(both >> (8 * (selector >> (4 * i) & 7))) << (8 * i);
  return result;
}

GPU_HOST_INLINE int min(int a, int b) { return a < b ? a : b; }
GPU_HOST_INLINE int max(int a, int b) { return a > b ? a : b; }
GPU_HOST_INLINE unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
GPU_HOST_INLINE unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }

// --- Atomic operations: kernels of several streams may run at once --------------------------------

template <typename T>
GPU_HOST_INLINE T atomicAdd(T *address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "sums of F32 would depend on their order");
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}

// --- F32 -----------------------------------------------------------------------------------------

GPU_HOST_INLINE float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
GPU_HOST_INLINE float __fmul_rn(float a, float b) { return a * b; }
GPU_HOST_INLINE float __fadd_rn(float a, float b) { return a + b; }
GPU_HOST_INLINE float __fsub_rn(float a, float b) { return a - b; }
GPU_HOST_INLINE float __fdiv_rn(float a, float b) { return a / b; }
GPU_HOST_INLINE float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
GPU_HOST_INLINE float __int2float_rn(int a) { return (float)a; }
GPU_HOST_INLINE float __uint2float_rn(unsigned a) { return (float)a; }

/// Half to even; what does not fit becomes the nearest that does, and NaN 0.
GPU_HOST_INLINE int __float2int_rn(float a) {
  if (std::isnan(a)) return 0;
  if (a >= 2147483648.0f) return 2147483647;
  if (a <= -2147483648.0f) return -2147483647 - 1;
  return (int)std::nearbyint(a);
}

template <typename To, typename From>
GPU_HOST_INLINE To gpu_host_bits(From from) {
  To to;
  static_assert(sizeof to == sizeof from);
  memcpy(&to, &from, sizeof to);
  return to;
}

GPU_HOST_INLINE unsigned __float_as_uint(float a) { return gpu_host_bits<unsigned>(a); }
GPU_HOST_INLINE int __float_as_int(float a) { return gpu_host_bits<int>(a); }
GPU_HOST_INLINE float __uint_as_float(unsigned a) { return gpu_host_bits<float>(a); }
GPU_HOST_INLINE float __int_as_float(int a) { return gpu_host_bits<float>(a); }

/// F16 to F32, exactly.
GPU_HOST_INLINE float gpu_host_float_of_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
  if (exponent == 31) return __uint_as_float(fraction ? 0x7fffffff : sign | 0x7f800000);
  if (exponent) return __uint_as_float(sign | (exponent + 112) << 23 | fraction << 13);
  float magnitude = (float)fraction * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

/// F32 to F16, half to even.
GPU_HOST_INLINE uint16_t gpu_host_half_of_float(float f) {
  uint32_t bits = __float_as_uint(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7fff;
  if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);  // 65520 and above: infinity
  if (magnitude < 0x38800000) {
    // Below the smallest normal number: adding 0.5 leaves multiples of 2^-24, rounded by the addition.
    float sum = __uint_as_float(magnitude) + 0.5f;
    return (uint16_t)(sign | (__float_as_uint(sum) - 0x3f000000));
  }
  uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

// --- Launching -----------------------------------------------------------------------------------

namespace gpu_host {

template <auto kernel>
struct Called;

template <typename Arguments, void (*kernel)(Arguments)>
struct Called<kernel> {
  static void entry(const void *bytes) {
    Arguments arguments;
    memcpy(&arguments, bytes, sizeof arguments);
    kernel(arguments);
  }
};

/// A kernel by its name, in the tables that `gpu_emulated_kernel` looks through.
struct NamedKernel {
  const char *name;
  Entry entry;
};

}  // namespace gpu_host

#define GPU_HOST_KERNEL(name) {#name, gpu_host::Called<name>::entry}
