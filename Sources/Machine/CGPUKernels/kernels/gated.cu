// The first half of experts: h = activation(x gate^T + gate_bias, x up^T + up_bias), written as records for the
// product that follows.
//
// Grid (runs of tiles, groups of TOKENS rows, experts), block 64 threads for each tile of the run: sixteen tiles
// where a record's numbers share scales by 256, else two. A run is whole blocks of a record, so that nobody
// else writes them. Results stay in shared memory until they are quantised, a warp for each row. Bytes
// moved: gate and up once for each group of rows, records of x once for each tile. Sums: products.cuh.
#include "activations.cuh"
#include "products.cuh"

enum { RUN_TILES = 16, RUN_ROWS = RUN_TILES * TILE_ROWS };

/// One matrix times the records of some rows: what differs between gate and up.
struct GatedHalf {
  gpu_matrix weights;
  gpu_address bias, x;
};

/// A half for this thread's tile, bias added, into results[row of the step][row of weights].
DEVICE void compute_half(const GatedHalf &half, const gpu_expert_group &expert, const u32 *tokens, u32 count,
                         float (*results)[RUN_ROWS], float (*upper)[TILE_ROWS]) {
  const gpu_matrix &weights = half.weights;
  const u32 in_run = threadIdx.x / TILE_THREADS, place = threadIdx.x % TILE_THREADS;
  const u32 tile = blockIdx.x * (blockDim.x / TILE_THREADS) + in_run, row = TILE_ROWS * tile + place;
  const u32 bytes = record_bytes(weights.columns, activation_width(weights.element_type));
  const u8 *records[TOKENS];
  float sums[TOKENS] = {};
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) records[t] = (const u8 *)half.x + (u64)tokens[t] * bytes;
  tile_sums(weights, (const u8 *)(expert.slot + weights.tiles) + (u64)tile * weights.tile_bytes, records,
            TILE_ROWS * tile < weights.rows ? count : 0, upper, sums);
  if (place >= TILE_ROWS) return;
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    float y = sums[t];
    if (half.bias && row < weights.rows)
      y = __fadd_rn(y, ((const float *)half.bias)[(u64)expert.expert * weights.rows + row]);
    results[t][TILE_ROWS * in_run + place] = y;
  }
}

KERNEL_OF(RUN_TILES * TILE_THREADS, gated)(const gpu_gated_arguments a) {
  SHARED float results[2][TOKENS][RUN_ROWS], upper[2][RUN_TILES][TOKENS][TILE_ROWS];
  const gpu_expert_group expert = ((const gpu_expert_group *)a.groups)[blockIdx.z];
  const u32 first = TOKENS * blockIdx.y;
  if (first >= expert.count) return;  // the whole block
  const u32 count = min(expert.count - first, (u32)TOKENS);
  u32 tokens[TOKENS];
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    const u32 row = expert.first + min(first + t, expert.count - 1);
    tokens[t] = a.row_tokens ? ((const u32 *)a.row_tokens)[row] : row;
  }
  // Not unrolled: the loops of all types stand in the code once.
#pragma unroll 1
  for (u32 i = 0; i < 2; i++) {
    const GatedHalf half = i == 0 ? GatedHalf{a.gate, a.gate_bias, a.gate_x} : GatedHalf{a.up, a.up_bias, a.up_x};
    compute_half(half, expert, tokens, count, results[i], upper[i][threadIdx.x / TILE_THREADS]);
  }
  __syncthreads();

  const u32 run = blockDim.x / TILE_THREADS * TILE_ROWS, first_row = blockIdx.x * run, lane = threadIdx.x % 32;
  const u32 bytes = record_bytes(a.gate.rows, a.out_width);
  for (u32 t = threadIdx.x / 32; t < count; t += blockDim.x / 32) {
    float v[8];
    for (u32 i = 0; i < 8; i++) {
      const u32 at = 8 * lane + i;
      v[i] = 0;
      if (at < run && first_row + at < a.gate.rows)
        v[i] = a.activation == GPU_SILU ? silu_product(results[0][t][at], results[1][t][at])
                                        : clamped_product(results[0][t][at], results[1][t][at], a.alpha, a.limit);
    }
    // Lanes beyond the run are beyond what this warp may write.
    const u32 column = 8 * lane < run ? first_row + 8 * lane : 0xfffffff0u;
    u8 *record = (u8 *)a.out + ((u64)expert.first + first + t) * bytes;
    write_record(v, column, a.gate.rows, a.out_width, first_row + run >= a.gate.rows, record, nullptr);
  }
}
