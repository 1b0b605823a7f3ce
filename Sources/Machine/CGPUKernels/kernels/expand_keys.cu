// Keys of all heads from cached latents: a product in F32 whose every sum is one chain over the latent's
// numbers.
//
// Shape: a block of 256 threads takes 64 positions by 64 numbers of one head's keys, a thread 4 by 4 of
// them; sixteen columns of both factors at a time lie in shared memory, transposed, so that a thread reads
// its eight numbers of a column in two pieces and multiplies them sixteen ways.
// Bytes moved: a block reads 64 rows of each factor once.
#include "common.cuh"

/// EXPAND_PITCH: of a column in shared memory; not EXPAND_TILE, so that sixteen columns of a row lie in
/// different banks.
enum { EXPAND_TILE = 64, EXPAND_PANEL = 16, EXPAND_EACH = 4, EXPAND_PITCH = EXPAND_TILE + 4 };

/// Sixteen columns of up to 64 rows, transposed: panel[c][row]; zeros where there is no row or column.
DEVICE void take_panel(const float *rows, size_t stride, u32 count, u32 column, u32 columns,
                       float (*panel)[EXPAND_PITCH]) {
  for (u32 i = threadIdx.x; i < EXPAND_TILE * EXPAND_PANEL; i += blockDim.x) {
    u32 row = i / EXPAND_PANEL, c = i % EXPAND_PANEL;
    panel[c][row] = row < count && column + c < columns ? rows[row * stride + column + c] : 0.0f;
  }
}

KERNEL(expand_keys)(const gpu_expand_keys_arguments a) {
  SHARED float weights_panel[EXPAND_PANEL][EXPAND_PITCH], latents_panel[EXPAND_PANEL][EXPAND_PITCH];
  const u32 first_row = blockIdx.x * EXPAND_TILE, first_key = blockIdx.y * EXPAND_TILE, head = blockIdx.z;
  const u32 rows = a.rows - first_row < EXPAND_TILE ? a.rows - first_row : EXPAND_TILE;
  const u32 keys = a.plain - first_key < EXPAND_TILE ? a.plain - first_key : EXPAND_TILE;
  const float *latents = (const float *)a.latents + (size_t)first_row * a.latent_stride;
  const float *weights = (const float *)a.weights + ((size_t)head * a.plain + first_key) * a.latent;
  const size_t width = a.plain + a.rotary;
  float *out = (float *)a.keys + head * a.key_head_stride + first_row * width;
  const u32 own_row = threadIdx.x / 16 * EXPAND_EACH, own_key = threadIdx.x % 16 * EXPAND_EACH;
  const bool has_work = own_row < rows && own_key < keys;

  float sums[EXPAND_EACH][EXPAND_EACH] = {};
  for (u32 column = 0; column < a.latent; column += EXPAND_PANEL) {
    take_panel(latents, a.latent_stride, rows, column, a.latent, latents_panel);
    take_panel(weights, a.latent, keys, column, a.latent, weights_panel);
    __syncthreads();
    const u32 count = a.latent - column < EXPAND_PANEL ? a.latent - column : EXPAND_PANEL;
    for (u32 c = 0; has_work && c < count; c++)
#pragma unroll
      for (u32 i = 0; i < EXPAND_EACH; i++)
#pragma unroll
        for (u32 j = 0; j < EXPAND_EACH; j++)
          sums[i][j] = __fmaf_rn(weights_panel[c][own_key + j], latents_panel[c][own_row + i], sums[i][j]);
    __syncthreads();
  }
  for (u32 i = 0; i < EXPAND_EACH && own_row + i < rows; i++)
    for (u32 j = 0; j < EXPAND_EACH && own_key + j < keys; j++)
      out[(own_row + i) * width + first_key + own_key + j] = sums[i][j];
  if (blockIdx.y == 0)
    for (u32 i = threadIdx.x; i < rows * a.rotary; i += blockDim.x) {
      u32 row = i / a.rotary, c = i % a.rotary;
      out[row * width + a.plain + c] = latents[(size_t)row * a.latent_stride + a.latent + c];
    }
}
