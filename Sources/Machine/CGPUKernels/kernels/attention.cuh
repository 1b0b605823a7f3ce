// What `attention` and `attention_merge` share: which positions a row sees, and steps 3 and 4 of the
// arithmetic at the top of Sources/Machine/CKernels/body/attention.h.
#pragma once
#include "exponential.cuh"

/// Positions that share a largest score, counted from position 0.
enum { POSITIONS = 256 };

/// The positions first ... last, and in how many blocks of POSITIONS they lie.
struct VisiblePositions {
  u32 first, last, block_count;
};

/// What a row at a position sees; window 0: all before it.
DEVICE VisiblePositions visible_positions(u32 position, u32 window) {
  u32 first = window && position >= window ? position - window + 1 : 0;
  return {first, position, position / POSITIONS - first / POSITIONS + 1};
}

/// The largest score of one or more blocks, and the sum of their exponentials beside it.
struct SoftmaxState {
  float largest, sum;
};

/// What the sums before a block and the block's own are multiplied by.
struct Fades {
  float before, own;
};

/// Step 3 but for the values: takes a block into a row's state. The first block is taken as it is.
DEVICE Fades join(SoftmaxState &total, SoftmaxState block, bool is_first) {
  if (is_first) {
    total = block;
    return {0.0f, 1.0f};
  }
  const float largest = block.largest > total.largest ? block.largest : total.largest;
  const Fades fades = {exponential(__fadd_rn(total.largest, -largest)),
                       exponential(__fadd_rn(block.largest, -largest))};
  total.sum = __fmaf_rn(total.sum, fades.before, __fmul_rn(block.sum, fades.own));
  total.largest = largest;
  return fades;
}

/// Step 3 for one column of the values.
DEVICE float joined(float total, float value, Fades fades) {
  return __fmaf_rn(total, fades.before, __fmul_rn(value, fades.own));
}

/// Step 4 but for the values: takes the head's sink, where there are sinks, into the sum; what the values
/// are multiplied by.
DEVICE float take_sink(SoftmaxState &total, const float *sinks, u32 head) {
  if (!sinks) return 1.0f;
  const float sink = sinks[head], largest = sink > total.largest ? sink : total.largest;
  const float fade = exponential(__fadd_rn(total.largest, -largest));
  total.sum = __fmaf_rn(total.sum, fade, exponential(__fadd_rn(sink, -largest)));
  return fade;
}
