// A block of threads on a CPU: each thread is a fiber, which gives way at barriers and exchanges only. The
// instructions of products.cu as plain functions. It shows numbers and indices, not races or speed.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <ucontext.h>
#include <vector>

#define KERNEL static
#define DEVICE static inline
#define SHARED static  // blocks run one after another

struct Index {
  unsigned x, y;
};
static Index threadIdx, blockIdx;

/// Arrivals are counted, so that fibers may come in any order.
struct Barrier {
  unsigned count = 0, arrived = 0, generation = 0;
};

struct Fiber {
  ucontext_t context;
  bool done = false;
};

static std::vector<Fiber> fibers;
static std::vector<Barrier> warps;
static Barrier block_barrier;
static ucontext_t scheduler;
static std::function<void()> body;

static void give_way() {
  unsigned self = threadIdx.x;
  swapcontext(&fibers[self].context, &scheduler);
  threadIdx.x = self;
}

static void wait_at(Barrier &barrier) {
  unsigned generation = barrier.generation;
  if (++barrier.arrived == barrier.count) {
    barrier.arrived = 0, barrier.generation++;
    return;
  }
  while (barrier.generation == generation) give_way();
}

static void __syncthreads() { wait_at(block_barrier); }

/// What all lanes of this thread's warp bring: [lane][place].
static uint32_t (*exchange(const uint32_t *values, int count))[8] {
  static uint32_t brought[32][32][8];
  unsigned warp = threadIdx.x / 32;
  memcpy(brought[warp][threadIdx.x % 32], values, 4 * (size_t)count);
  wait_at(warps[warp]);
  return brought[warp];
}

/// After an exchange has been read, before the next.
static void exchanged() { wait_at(warps[threadIdx.x / 32]); }

static float __shfl_xor_sync(unsigned, float value, unsigned mask) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  bits = exchange(&bits, 1)[(threadIdx.x % 32) ^ mask][0];
  exchanged();
  memcpy(&value, &bits, 4);
  return value;
}

static int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 4; i++) c += (int8_t)(a >> (8 * i)) * (int8_t)(b >> (8 * i));
  return c;
}

static int __dp2a_lo(int a, int b, int c) {
  for (int i = 0; i < 2; i++) c += (int16_t)(a >> (16 * i)) * (int8_t)(b >> (8 * i));
  return c;
}

/// m16n8k32, u8 by s8; fragments as the PTX manual draws them.
static void mma(int c[4], const uint32_t a[4], uint32_t b0, uint32_t b1) {
  const uint32_t mine[6] = {a[0], a[1], a[2], a[3], b0, b1};
  auto all = exchange(mine, 6);
  unsigned lane = threadIdx.x % 32;
  for (int e = 0; e < 4; e++) {
    unsigned row = lane / 4 + e / 2 * 8, token = lane % 4 * 2 + e % 2;
    for (unsigned k = 0; k < 32; k++) {
      uint32_t from_a = all[row % 8 * 4 + k % 16 / 4][row / 8 + k / 16 * 2];
      uint32_t from_b = all[token * 4 + k % 16 / 4][4 + k / 16];
      c[e] += (uint8_t)(from_a >> (8 * (k % 4))) * (int8_t)(from_b >> (8 * (k % 4)));
    }
  }
  exchanged();
}

static float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
static float __fmul_rn(float a, float b) { return a * b; }
static float __fadd_rn(float a, float b) { return a + b; }

static float half_bits(uint16_t h) {
  float magnitude = (h & 0x7c00) == 0x7c00 ? (h & 0x3ff ? NAN : INFINITY)
                    : h & 0x7c00           ? std::ldexp(1024.0f + (h & 0x3ff), (h >> 10 & 31) - 25)
                                           : std::ldexp((float)(h & 0x3ff), -24);
  return h & 0x8000 ? -magnitude : magnitude;
}

static void fiber_main() {
  body();
  fibers[threadIdx.x].done = true;
}

/// kernel<<<(columns, rows), threads>>>: blocks one after another.
static void launch(unsigned columns, unsigned rows, unsigned threads, std::function<void()> kernel) {
  const size_t stack = 64 << 10;
  std::vector<std::unique_ptr<char[]>> stacks;
  for (unsigned i = 0; i < threads; i++) stacks.emplace_back(new char[stack]);
  body = kernel;
  for (blockIdx.y = 0; blockIdx.y < rows; blockIdx.y++)
    for (blockIdx.x = 0; blockIdx.x < columns; blockIdx.x++) {
      fibers = std::vector<Fiber>(threads);
      warps = std::vector<Barrier>((threads + 31) / 32);
      for (auto &warp : warps) warp.count = 32;
      block_barrier = Barrier{threads};
      for (unsigned i = 0; i < threads; i++) {
        getcontext(&fibers[i].context);
        fibers[i].context.uc_stack.ss_sp = stacks[i].get();
        fibers[i].context.uc_stack.ss_size = stack;
        fibers[i].context.uc_link = &scheduler;
        makecontext(&fibers[i].context, fiber_main, 0);
      }
      for (bool left = true; left;) {
        left = false;
        for (unsigned i = 0; i < threads; i++)
          if (!fibers[i].done) {
            left = true, threadIdx.x = i;
            swapcontext(&scheduler, &fibers[i].context);
          }
      }
    }
}
