// The first half of experts: h = activation(x gate^T + gate_bias, x up^T + up_bias), written as records for the
// product that follows.
//
// Grid (runs of tiles, groups of TOKENS rows, experts). A run is sixteen tiles where a record's numbers share scales
// by 256, else two: whole blocks of a record, so that nobody else writes them. Block: 64 threads for each
// tile of the run, but no more than eight, which then take the run's tiles in turns; more threads would leave too
// few registers to each. Results stay in shared memory until they are quantised, a warp for each row. Bytes
// moved: gate and up once for each group of rows, records of x once for each tile. Sums: products.cuh.
#include "activations.cuh"
#include "products.cuh"

enum { MOST_RUN = 16, MOST_AT_ONCE = 8, RUN_ROWS = MOST_RUN * TILE_ROWS };

/// One matrix times the records of some rows: what differs between gate and up.
struct GatedHalf {
  gpu_matrix weights;
  gpu_address bias, x;
};

/// A half for tile `in_run` of this block's run and rows first ... of the group, bias added, into results[row of the
/// group][row of the run].
DEVICE void compute_half(const GatedHalf &half, const gpu_expert_group &expert, const u32 *row_tokens, u32 first,
                         u32 tile, u32 in_run, float (*results)[RUN_ROWS], float (*upper)[TILE_ROWS]) {
  const u32 place = threadIdx.x % TILE_THREADS, row = TILE_ROWS * tile + place;
  const u32 bytes = record_bytes(half.weights.columns, activation_width(half.weights.element_type));
  const u32 count = TILE_ROWS * tile < half.weights.rows ? min(expert.count - first, (u32)TOKENS) : 0;
  const u8 *records[TOKENS];
  float sums[TOKENS] = {};
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    const u32 grouped = expert.first + min(first + t, expert.count - 1);
    records[t] = (const u8 *)half.x + (u64)(row_tokens ? row_tokens[grouped] : grouped) * bytes;
  }
  tile_sums(half.weights, (const u8 *)(expert.slot + half.weights.tiles) + (u64)tile * half.weights.tile_bytes,
            records, count, upper, sums);
  if (place >= TILE_ROWS) return;
#pragma unroll
  for (u32 t = 0; t < TOKENS; t++) {
    float y = sums[t];
    if (half.bias && row < half.weights.rows)
      y = __fadd_rn(y, ((const float *)half.bias)[(u64)expert.expert * half.weights.rows + row]);
    results[t][TILE_ROWS * in_run + place] = y;
  }
}

KERNEL_OF(MOST_AT_ONCE * TILE_THREADS, gated)(const gpu_gated_arguments a) {
  SHARED float results[2][TOKENS][RUN_ROWS], upper[2][MOST_RUN][TOKENS][TILE_ROWS];
  const gpu_expert_group &expert = ((const gpu_expert_group *)a.groups)[blockIdx.z];
  const u32 first = TOKENS * blockIdx.y;
  if (first >= expert.count) return;  // the whole block
  const u32 at_once = blockDim.x / TILE_THREADS, run_tiles = a.out_width == 256 ? MOST_RUN : 2;
  // Not unrolled: the loops of all types stand in the code once.
#pragma unroll 1
  for (u32 i = 0; i < 2 * run_tiles; i += at_once) {
    const u32 up = i >= run_tiles, in_run = i % run_tiles + threadIdx.x / TILE_THREADS;
    const GatedHalf half = up ? GatedHalf{a.up, a.up_bias, a.up_x} : GatedHalf{a.gate, a.gate_bias, a.gate_x};
    compute_half(half, expert, (const u32 *)a.row_tokens, first, blockIdx.x * run_tiles + in_run, in_run,
                 results[up], upper[up][in_run]);
  }
  const u32 count = min(expert.count - first, (u32)TOKENS);
  __syncthreads();

  const u32 run = run_tiles * TILE_ROWS, first_row = blockIdx.x * run, lane = threadIdx.x % 32;
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
