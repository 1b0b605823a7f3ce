// Probabilities of a router's experts.
//
// Shape: a warp takes one token.
#include "routing.cuh"

KERNEL(foresee)(const gpu_foresee_arguments a) {
  DYNAMIC_SHARED(float, scores);
  const u32 lane = threadIdx.x;
  const float *logits = (const float *)a.logits + (size_t)blockIdx.x * a.logits_stride;
  const u32 gating = a.gating == GPU_GATING_SOFTMAX_OF_CHOSEN ? GPU_GATING_SOFTMAX : a.gating;
  scores_of_logits(logits, scores, a.experts, gating, lane);
  float *probabilities = (float *)a.probabilities + (size_t)blockIdx.x * a.experts;
  for (u32 i = lane; i < a.experts; i += 32) probabilities[i] = scores[i];
}
