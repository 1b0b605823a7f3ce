// y = x W^T + bias for the packed weights of the dense part, for each head with weights of its own.
//
// Grid (tiles, groups of tokens / groups of a block, heads), block 64 threads for each of its groups of TOKENS
// tokens: they read the same tile at about the same time. Bytes moved: a tile once for each group of a block from
// the near cache, once for each block from memory; records once for each tile. Sums: products.cuh.
#include "products.cuh"

KERNEL(product)(const gpu_product_arguments a) {
  SHARED float upper[16][TOKENS][TILE_ROWS];
  const u32 group = threadIdx.x / TILE_THREADS, place = threadIdx.x % TILE_THREADS;
  const u32 first = TOKENS * (blockIdx.y * (blockDim.x / TILE_THREADS) + group), head = blockIdx.z;
  const u32 count = first < a.tokens ? min(a.tokens - first, (u32)TOKENS) : 0;
  const u32 bytes = record_bytes(a.weights.columns, activation_width(a.weights.element_type));
  const u8 *tile = (const u8 *)a.weights.tiles + head * a.weights_head_bytes + (u64)blockIdx.x * a.weights.tile_bytes;
  const u8 *x[TOKENS];
  float sums[TOKENS] = {};
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++)
    x[t] = (const u8 *)a.x + ((u64)head * a.tokens + min(first + t, a.tokens - 1)) * bytes;
  tile_sums(a.weights, tile, x, count, upper[group], sums);
  const u32 row = TILE_ROWS * blockIdx.x + place;
  if (place >= TILE_ROWS || row >= a.weights.rows) return;
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    if (t >= count) break;
    float y = sums[t];
    if (a.bias) y = __fadd_rn(y, ((const float *)a.bias)[row]);
    ((float *)a.y)[(u64)(first + t) * a.y_stride + (u64)head * a.y_head_stride + row] = y;
  }
}
