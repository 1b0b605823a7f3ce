// What `route` and `foresee` share: scores of a router's logits, by one warp.
#pragma once
#include "dense.cuh"

/// What the gating makes of logits; logits that only the chosen share a softmax of stay as they are.
DEVICE void scores_of_logits(const float *logits, float *scores, u32 experts, u32 gating, u32 lane) {
  if (gating == GPU_GATING_SOFTMAX) return softmax_of_warp(logits, scores, experts, lane);
  for (u32 i = lane; i < experts; i += 32)
    scores[i] = gating == GPU_GATING_SIGMOID ? logistic(logits[i]) : logits[i];
  __syncwarp();
}
