// Blocks of threads on a processor. Every thread of a block is a fiber, which gives way at barriers and
// exchanges only; a fiber runs one thread after another until one of them has to wait, so that a kernel
// without barriers costs a plain call a thread.
//
// It shows numbers, indices, missing and mismatched barriers; not speed, and not races within a warp.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gpu_host {

/// As CUDA's: a thread of a block, a block of a grid, or how many of them.
struct Place {
  unsigned x = 0, y = 0, z = 0;
};

/// What a kernel does for the thread that `thread` tells.
using Entry = void (*)(const void *arguments);

struct Launch {
  Entry entry;
  const void *arguments;
  Place grid, block;
  size_t shared_bytes;
  /// 0: in order; else blocks and threads run in an order drawn from it.
  uint64_t seed;
};

/// Runs all blocks, one after another, on the calling thread.
/// Returns null, or what is wrong with the kernel, valid until this thread's next call.
const char *run(const Launch &launch);

extern thread_local constinit Place thread, block, block_size, grid_size;

/// Shared memory of the size that the launch gave; its content is undefined when a block begins.
void *dynamic_shared();

/// Returns when all threads of the block that have not ended are here.
void wait_for_block(int line);

/// Waits as `wait_for_block` does; the sum over the threads of what they bring.
unsigned sum_over_block(unsigned value, int line);

enum { LANES = 32, EXCHANGED_WORDS = 8 };

/// What the lanes of a warp brought: [lane][word].
using Exchanged = const uint32_t (*)[EXCHANGED_WORDS];

/// Returns when all lanes in `mask` that have not ended are here; valid until the thread's next barrier or
/// exchange. Lanes that brought nothing hold ones in all bits.
Exchanged exchange(uint32_t mask, const uint32_t *words, int count, int line);

}  // namespace gpu_host
