// Attention: softmax(scale * Q K^T) V over a cache. The arithmetic is written down at the top of
// Sources/Machine/CKernels/body/attention.h; the steps below are those.
//
// Shape: a block of threads takes one query head of one row and goes through its blocks of 256 positions in
// ascending order. Scores: a warp takes 32 positions, reads 32 numbers of each in whole lines into shared
// memory, and each lane goes on with the chain of its position. Sum of exponentials: sixteen lanes run one
// partial sum each. Values: a thread takes columns and runs through the positions, so that a warp reads
// whole lines.
// Bytes moved: the keys and values that the row sees, once for each of its heads.
#include "attention.cuh"
#include "cache.cuh"

/// Lanes of a warp; numbers from key to key in shared memory, so that a column of 32 keys lies in different
/// banks.
enum { KEY_LANES = 32, KEY_PITCH = KEY_LANES + 1 };

/// A cached number of a type known to the compiler.
template <u32 type> DEVICE float number_of(const u8 *row, u32 i) {
  return cached_number(row, i, type);
}

/// Step 2a: scores of the positions begin ..< end of a block, whose keys lie at `keys`; a lane's largest.
template <u32 type>
DEVICE float scores_of_block(const gpu_attention_arguments &a, const u8 *keys, u32 begin, u32 end,
                             const float *query, float *scores, float *tiles) {
  const u32 lane = threadIdx.x % KEY_LANES, warp = threadIdx.x / KEY_LANES;
  float *tile = tiles + warp * KEY_LANES * KEY_PITCH;
  float largest = -__int_as_float(0x7f800000);
  for (u32 at = warp * KEY_LANES; at < end; at += blockDim.x) {
    if (at + KEY_LANES <= begin) continue;
    const u32 low = at < begin ? begin - at : 0, high = end - at < KEY_LANES ? end - at : KEY_LANES;
    float score = 0.0f;
    for (u32 c = 0; c < a.key_length; c += KEY_LANES) {
      const u32 count = a.key_length - c < KEY_LANES ? a.key_length - c : KEY_LANES;
      if (lane < count)
#pragma unroll 8
        for (u32 p = low; p < high; p++)
          tile[p * KEY_PITCH + lane] = number_of<type>(keys + (size_t)(at + p) * a.key_stride, c + lane);
      __syncwarp();
      if (lane >= low && lane < high)
        for (u32 i = 0; i < count; i++) score = __fmaf_rn(query[c + i], tile[lane * KEY_PITCH + i], score);
      __syncwarp();
    }
    if (lane >= low && lane < high) {
      scores[at + lane] = score;
      largest = score > largest ? score : largest;
    }
  }
  return largest;
}

/// Step 2d by a whole warp: the sum of the exponentials of begin ..< end.
DEVICE float sum_of_block(const float *exponentials, u32 begin, u32 end) {
  const u32 partial = threadIdx.x % 16;
  float sum = 0.0f;
  for (u32 j = begin / 16 * 16 + partial; j < end; j += 16)
    if (j >= begin) sum = __fadd_rn(sum, exponentials[j]);
  return fold(sum);
}

/// Step 2e for one column.
template <u32 type>
DEVICE float value_of_block(const u8 *values, u32 stride, u32 column, u32 begin, u32 end,
                            const float *exponentials) {
  float sum = 0.0f;
#pragma unroll 8
  for (u32 j = begin; j < end; j++)
    sum = __fmaf_rn(exponentials[j], number_of<type>(values + (size_t)j * stride, column), sum);
  return sum;
}

template <u32 type> DEVICE void attend(const gpu_attention_arguments &a, float *memory) {
  float *query = memory, *totals = query + a.key_length, *scores = totals + a.value_length;
  float *maxima = scores + POSITIONS, *final_sum = maxima + 8, *tiles = maxima + 16;
  const u32 row = blockIdx.x, head = blockIdx.y, warps = blockDim.x / KEY_LANES;
  const VisiblePositions visible = visible_positions(a.position + row, a.window);
  const u8 *keys = (const u8 *)a.keys + head / a.group * a.key_head_stride;
  const u8 *values = a.values ? (const u8 *)a.values + head / a.group * a.value_head_stride : keys;
  const u32 value_stride = a.values ? a.value_stride : a.key_stride;
  float *partials = (float *)a.scratch + ((size_t)row * a.heads + head) * a.blocks * (a.value_length + 2);

  const float *source = (const float *)a.queries + (size_t)row * a.query_stride + (size_t)head * a.key_length;
  for (u32 c = threadIdx.x; c < a.key_length; c += blockDim.x) query[c] = __fmul_rn(source[c], a.scale);
  __syncthreads();

  SoftmaxState total = {0.0f, 0.0f};  // the largest in every thread, the sum in those of the first warp
  for (u32 index = blockIdx.z; index < visible.block_count; index += gridDim.z) {
    const u32 start = (visible.first / POSITIONS + index) * POSITIONS;
    const u32 begin = visible.first > start ? visible.first - start : 0;
    const u32 end = visible.last - start + 1 < POSITIONS ? visible.last - start + 1 : POSITIONS;
    const u8 *block_keys = keys + (size_t)start * a.key_stride;
    const u8 *block_values = values + (size_t)start * value_stride;
    float own = scores_of_block<type>(a, block_keys, begin, end, query, scores, tiles);
    own = largest_of_warp(own);
    if (threadIdx.x % KEY_LANES == 0) maxima[threadIdx.x / KEY_LANES] = own;
    __syncthreads();

    SoftmaxState block = {maxima[0], 0.0f};
    for (u32 w = 1; w < warps; w++) block.largest = maxima[w] > block.largest ? maxima[w] : block.largest;
    for (u32 j = begin + threadIdx.x; j < end; j += blockDim.x)
      scores[j] = falling_exponential(__fadd_rn(scores[j], -block.largest));
    __syncthreads();

    if (threadIdx.x < KEY_LANES) block.sum = sum_of_block(scores, begin, end);
    if (a.scratch) {
      float *partial = partials + (size_t)index * (a.value_length + 2);
      if (threadIdx.x == 0) partial[0] = block.largest, partial[1] = block.sum;
      for (u32 c = threadIdx.x; c < a.value_length; c += blockDim.x)
        partial[2 + c] = value_of_block<type>(block_values, value_stride, c, begin, end, scores);
    } else {
      const Fades fades = join(total, block, index == 0);
      for (u32 c = threadIdx.x; c < a.value_length; c += blockDim.x) {
        float value = value_of_block<type>(block_values, value_stride, c, begin, end, scores);
        totals[c] = index == 0 ? value : joined(totals[c], value, fades);
      }
    }
    __syncthreads();
  }
  if (a.scratch) return;

  const float fade = take_sink(total, (const float *)a.sinks, head);
  if (threadIdx.x == 0) *final_sum = total.sum;
  __syncthreads();
  float *out = (float *)a.out + (size_t)row * a.out_stride + (size_t)head * a.value_length;
  for (u32 c = threadIdx.x; c < a.value_length; c += blockDim.x)
    out[c] = __fdiv_rn(__fmul_rn(totals[c], fade), *final_sum);
}

KERNEL(attention)(const gpu_attention_arguments a) {
  DYNAMIC_SHARED(float, memory);
  switch (a.element_type) {
  case 0: attend<0>(a, memory); break;
  case 1: attend<1>(a, memory); break;
  default: attend<8>(a, memory);
  }
}
