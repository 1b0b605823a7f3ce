#include "include/gpu_emulation.h"

#include "tables.h"

using namespace gpu_host;

static const NamedKernel *const tables[] = {dense_kernels, product_kernels, checking_kernels};

// A kernel's number: which table, and where in it.
enum { MOST_OF_A_TABLE = 1 << 16 };

static thread_local const char *failure = "";

int gpu_emulated_kernel(const char *name) {
  for (int t = 0; t < (int)(sizeof tables / sizeof *tables); t++)
    for (int i = 0; tables[t][i].name; i++)
      if (!strcmp(tables[t][i].name, name)) return t * MOST_OF_A_TABLE + i;
  return -1;
}

int gpu_emulate(int kernel, const uint32_t grid[3], const uint32_t block[3], size_t shared_bytes,
                const void *arguments, uint64_t seed) {
  Launch launch = {tables[kernel / MOST_OF_A_TABLE][kernel % MOST_OF_A_TABLE].entry,
                   arguments,
                   {grid[0], grid[1], grid[2]},
                   {block[0], block[1], block[2]},
                   shared_bytes,
                   seed};
  const char *wrong = run(launch);
  failure = wrong ? wrong : "";
  return wrong ? -1 : 0;
}

const char *gpu_emulation_failure(void) { return failure; }
