// The second half of experts: y[row] = h[row] down^T + bias, for groups of rows that go to one expert each.
//
// Grid (tiles, groups of TOKENS rows / groups of a block, experts), block 64 threads for each of its groups of
// rows. Each row of y is written by one block alone. Bytes moved and sums: as in product.cu.
#include "products.cuh"

KERNEL(down)(const gpu_down_arguments a) {
  SHARED float upper[16][TOKENS][TILE_ROWS];
  const gpu_expert_group expert = ((const gpu_expert_group *)a.groups)[blockIdx.z];
  const u32 groups = blockDim.x / TILE_THREADS;
  if (TOKENS * blockIdx.y * groups >= expert.count) return;  // the whole block
  const u32 group = threadIdx.x / TILE_THREADS, place = threadIdx.x % TILE_THREADS;
  const u32 first = TOKENS * (blockIdx.y * groups + group);
  const u32 count = first < expert.count ? min(expert.count - first, (u32)TOKENS) : 0;
  const u32 bytes = record_bytes(a.down.columns, activation_width(a.down.element_type));
  const u8 *tile = (const u8 *)(expert.slot + a.down.tiles) + (u64)blockIdx.x * a.down.tile_bytes;
  const u8 *x[TOKENS];
  float sums[TOKENS] = {};
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++)
    x[t] = (const u8 *)a.x + ((u64)expert.first + min(first + t, expert.count - 1)) * bytes;
  tile_sums(a.down, tile, x, count, upper[group], sums);
  const u32 row = TILE_ROWS * blockIdx.x + place;
  if (place >= TILE_ROWS || row >= a.down.rows) return;
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    if (t >= count) break;
    float y = sums[t];
    if (a.bias) y = __fadd_rn(y, ((const float *)a.bias)[(u64)expert.expert * a.down.rows + row]);
    ((float *)a.y)[((u64)expert.first + first + t) * a.y_stride + row] = y;
  }
}
