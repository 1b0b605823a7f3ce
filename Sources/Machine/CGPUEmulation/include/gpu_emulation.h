// The GPU's kernels, compiled for the host: what the emulated device launches.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

/// A kernel's number, or -1 where there is none of that name.
int gpu_emulated_kernel(const char *name);

/// Runs a kernel to its end on the calling thread. `seed` 0: blocks and threads in order; else in an order drawn from it.
/// Safe to call from several threads at once. Returns 0, or -1 where threads of a block wait at different barriers for ever.
int gpu_emulate(int kernel, const uint32_t grid[3], const uint32_t block[3], size_t shared_bytes,
                const void *arguments, uint64_t seed);

/// Why this thread's last `gpu_emulate` returned -1: which threads wait where; valid until its next call.
const char *gpu_emulation_failure(void);

#if defined(__cplusplus)
}
#endif
