// The experts of a token and their weights, as Sources/Engine/Models/Router.swift chooses them.
//
// Shape: a warp takes one token; its numbers lie in shared memory. Scores by the gating; bias and groups
// decide who is chosen only; the weights are the plain scores of the chosen, best first, then normalised
// and scaled. The lower number wins among equals; NaN is below everything.
#include "routing.cuh"

enum { NO_INDEX = 0x7fffffff };

/// What stands where an expert was taken: no score is this NaN.
DEVICE float taken() { return __int_as_float(0x7fffffff); }

/// The first of the largest numbers that are not NaN, in every lane; NO_INDEX where all are NaN.
DEVICE int index_of_largest(const float *values, u32 count, u32 lane) {
  int best = NO_INDEX;
  float largest = 0.0f;
  for (u32 i = lane; i < count; i += 32)
    if (values[i] == values[i] && (best == NO_INDEX || values[i] > largest))
      best = (int)i, largest = values[i];
  for (int step = 16; step > 0; step /= 2) {
    int index = __shfl_xor_sync(0xffffffffu, best, step);
    float other = __shfl_xor_sync(0xffffffffu, largest, step);
    if (index != NO_INDEX && (best == NO_INDEX || other > largest || (other == largest && index < best)))
      best = index, largest = other;
  }
  return best;
}

/// Sets the numbers of all but the best groups to -infinity. A group counts by its best, or by its two
/// best.
DEVICE void keep_best_groups(float *selection, float *scores, float *kept, const gpu_route_arguments &a,
                             u32 lane) {
  const u32 size = a.experts / a.groups;
  const float minus_infinity = -__int_as_float(0x7f800000);
  for (u32 group = lane; group < a.groups; group += 32) {
    float best = minus_infinity, second = minus_infinity;
    for (u32 i = group * size; i < (group + 1) * size; i++) {
      float value = selection[i];
      if (value > best)
        second = best, best = value;
      else if (value > second)
        second = value;
    }
    scores[group] = a.group_score == 0 || size < 2 ? best : __fadd_rn(best, second);
    kept[group] = 0.0f;
  }
  __syncwarp();
  for (u32 used = 0; used < a.used_groups && used < a.groups; used++) {
    int best = index_of_largest(scores, a.groups, lane);
    if (best == NO_INDEX) best = 0;
    __syncwarp();
    if (lane == 0) kept[best] = 1.0f, scores[best] = taken();
    __syncwarp();
  }
  for (u32 i = lane; i < a.groups * size; i += 32)
    if (kept[i / size] == 0.0f) selection[i] = minus_infinity;
  __syncwarp();
}

/// The next best expert, which is taken out. Where only NaNs are left: the first expert, as often as it is
/// asked for, where few are chosen, and one after the other where more are (Router.indicesOfLargest).
DEVICE int take_best(float *selection, const gpu_route_arguments &a, u32 lane) {
  int best = index_of_largest(selection, a.experts, lane);
  if (best == NO_INDEX) {
    best = 0;
    if (a.chosen > 32)
      while (best + 1 < (int)a.experts && __float_as_int(selection[best]) == 0x7fffffff) best++;
  }
  __syncwarp();
  if (lane == 0) selection[best] = taken();
  __syncwarp();
  return best;
}

KERNEL(route)(const gpu_route_arguments a) {
  DYNAMIC_SHARED(float, memory);
  float *scores = memory, *selection = scores + a.experts, *probabilities = selection + a.experts;
  float *group_scores = probabilities + a.experts, *kept = group_scores + a.groups;
  float *weights = kept + a.groups;
  int *ids = (int *)(weights + a.chosen);
  const u32 token = blockIdx.x, lane = threadIdx.x;
  const float *logits = (const float *)a.logits + (size_t)token * a.logits_stride;
  const float *bias = (const float *)a.selection_bias;

  scores_of_logits(logits, scores, a.experts, a.gating, lane);
  if (a.probabilities) {
    const bool of_chosen = a.gating == GPU_GATING_SOFTMAX_OF_CHOSEN;
    if (of_chosen) softmax_of_warp(logits, probabilities, a.experts, lane);
    float *out = (float *)a.probabilities + (size_t)token * a.experts;
    for (u32 i = lane; i < a.experts; i += 32) out[i] = of_chosen ? probabilities[i] : scores[i];
  }
  for (u32 i = lane; i < a.experts; i += 32) {
    float value = bias ? __fadd_rn(scores[i], bias[i]) : scores[i];
    selection[i] = value == value ? value : __int_as_float(0x7fc00000);
  }
  __syncwarp();
  if (a.groups > 1) keep_best_groups(selection, group_scores, kept, a, lane);
  for (u32 rank = 0; rank < a.chosen; rank++) {
    int best = take_best(selection, a, lane);
    if (lane == 0) ids[rank] = best, weights[rank] = scores[best];
  }
  __syncwarp();
  if (a.gating == GPU_GATING_SOFTMAX_OF_CHOSEN) softmax_of_warp(weights, weights, a.chosen, lane);

  float sum = 0.0f;
  const float smallest = 6.103515625e-5f;  // the smallest normal half float
  for (u32 rank = 0; rank < a.chosen; rank++) sum = __fadd_rn(sum, weights[rank]);
  if (smallest >= sum) sum = smallest;
  for (u32 rank = lane; rank < a.chosen; rank += 32) {
    float weight = a.normalizes ? __fdiv_rn(weights[rank], sum) : weights[rank];
    if (a.scale != 1.0f) weight = __fmul_rn(weight, a.scale);
    const size_t pair = (size_t)token * a.chosen + rank;
    ((int *)a.ids)[pair] = ids[rank];
    ((float *)a.weights)[pair] = weight;
    ((float *)a.device_weights)[pair] = weight;
  }
}
