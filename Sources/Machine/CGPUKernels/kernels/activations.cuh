// How an expert's gate and up projections meet, bit for bit as body/elementwise.h of the CPU's kernels computes it.
#pragma once
#include "exponential.cuh"

/// silu(g) u.
DEVICE float silu_product(float g, float u) { return __fmul_rn(__fmul_rn(g, logistic(g)), u); }

/// g sigmoid(alpha g) (u + 1), g = min(gate, limit), u = clamp(up, -limit, limit); comparisons let a NaN pass.
DEVICE float clamped_product(float g, float u, float alpha, float limit) {
  g = g > limit ? limit : g;
  u = u > limit ? limit : u;
  u = u < -limit ? -limit : u;
  return __fmul_rn(__fmul_rn(g, logistic(__fmul_rn(alpha, g))), __fadd_rn(u, 1.0f));
}
