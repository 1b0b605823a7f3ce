// The end of attention whose blocks of positions were computed apart: steps 3 and 4 of the arithmetic.
//
// Shape: a block of threads takes one head of one row, a thread some of its columns; every thread goes
// through the blocks' results in ascending order.
// Bytes moved: the results once.
#include "attention.cuh"

KERNEL(attention_merge)(const gpu_attention_merge_arguments a) {
  const u32 row = blockIdx.x, head = blockIdx.y;
  const u32 block_count = visible_positions(a.position + row, a.window).block_count;
  const size_t pitch = a.value_length + 2;
  const float *partials = (const float *)a.scratch + ((size_t)row * a.heads + head) * a.blocks * pitch;
  float *out = (float *)a.out + (size_t)row * a.out_stride + (size_t)head * a.value_length;
  for (u32 c = threadIdx.x; c < a.value_length; c += blockDim.x) {
    SoftmaxState total = {partials[0], partials[1]};
    float sum = partials[2 + c];
#pragma unroll 4
    for (u32 block = 1; block < block_count; block++) {
      const float *partial = partials + block * pitch;
      const Fades fades = join(total, {partial[0], partial[1]}, false);
      sum = joined(sum, partial[2 + c], fades);
    }
    const float fade = take_sink(total, (const float *)a.sinks, head);
    out[c] = __fdiv_rn(__fmul_rn(sum, fade), total.sum);
  }
}
