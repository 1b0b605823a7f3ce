// What all kernels share. They are compiled twice: by NVRTC for a GPU, and for this processor with
// cuda_on_host.h, where the emulated device runs them.
//
// A kernel is written as
//   KERNEL(name)(const gpu_name_arguments a) { ... }
// or, where a block may have more threads than registers last for otherwise,
//   KERNEL_OF(threads, name)(const gpu_name_arguments a) { ... }
#pragma once

typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(__CUDACC_RTC__)
#include "gpu_arguments.h"

#define KERNEL(name) extern "C" __global__ void name
#define KERNEL_OF(threads, name) extern "C" __global__ void __launch_bounds__(threads) name
#define DEVICE static __device__ __forceinline__
#define SHARED __shared__
/// `name`: the shared memory whose size the launch gives, as numbers of a type, 16-aligned.
#define DYNAMIC_SHARED(type, name)                           \
  extern __shared__ __align__(16) u8 dynamic_shared_bytes[]; \
  type *const name = (type *)dynamic_shared_bytes

DEVICE float float_of_half(u16 h) {
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
  return f;
}

/// Half to even.
DEVICE u16 half_of_float(float f) {
  u16 h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
  return h;
}

/// c + A B: A 16 rows x 32 columns of u8, B 32 columns x 8 of s8, held by a whole warp.
DEVICE void mma_u8(int c[4], const u32 a[4], u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// A word that the host or another stream reads while the kernel runs.
DEVICE void store_word(u32 *address, u32 value) { *(volatile u32 *)address = value; }

#else
#include "../../CGPUEmulation/cuda_on_host.h"

#include "../include/gpu_arguments.h"

#define KERNEL(name) __attribute__((unused)) static void name
#define KERNEL_OF(threads, name) KERNEL(name)
#define DEVICE __attribute__((unused)) static inline
#define SHARED __shared__
#define DYNAMIC_SHARED(type, name) type *const name = (type *)gpu_host::dynamic_shared()

DEVICE float float_of_half(u16 h) { return gpu_host_float_of_half(h); }
DEVICE u16 half_of_float(float f) { return gpu_host_half_of_float(f); }
DEVICE void mma_u8(int c[4], const u32 a[4], u32 b0, u32 b1, int line = __builtin_LINE()) {
  mma_m16n8k32(c, a, b0, b1, line);
}
DEVICE void store_word(u32 *address, u32 value) { __atomic_store_n(address, value, __ATOMIC_RELEASE); }
#endif
