// exp and what is made of it, bit for bit as body/elementwise.h of the CPU's kernels computes it.
#pragma once
#include "common.cuh"

/// exp(x): 0 below, infinity above, NaN for NaN. x = n ln 2 + r; a Taylor polynomial of degree 7 in r times 2^n in
/// two steps.
DEVICE float exponential(float x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  if (x < -87.33654f) return 0;
  if (x > 88.72284f) return __uint_as_float(0x7f800000u);
  if (x != x) return x;
  float n = __fsub_rn(__fmaf_rn(x, 1.44269504f, magic), magic);
  float r = __fmaf_rn(n, -0.693145752f, x);
  r = __fmaf_rn(n, -1.42860677e-6f, r);
  float p = 1.0f / 5040.0f;
  p = __fmaf_rn(p, r, 1.0f / 720.0f);
  p = __fmaf_rn(p, r, 1.0f / 120.0f);
  p = __fmaf_rn(p, r, 1.0f / 24.0f);
  p = __fmaf_rn(p, r, 1.0f / 6.0f);
  p = __fmaf_rn(p, r, 0.5f);
  p = __fmaf_rn(p, r, 1.0f);
  p = __fmaf_rn(p, r, 1.0f);
  int whole = (int)n, half = whole >> 1;
  float a = __uint_as_float((u32)(half + 127) << 23), b = __uint_as_float((u32)(whole - half + 127) << 23);
  return __fmul_rn(__fmul_rn(p, a), b);
}

/// 1 / (1 + exp(-x)).
DEVICE float logistic(float x) { return __fdiv_rn(1.0f, __fadd_rn(1.0f, exponential(-x))); }

/// silu(g) u.
DEVICE float silu_product(float g, float u) { return __fmul_rn(__fmul_rn(g, logistic(g)), u); }

/// g sigmoid(alpha g) (u + 1), g = min(gate, limit), u = clamp(up, -limit, limit); comparisons let a NaN pass.
DEVICE float clamped_product(float g, float u, float alpha, float limit) {
  g = g > limit ? limit : g;
  u = u > limit ? limit : u;
  u = u < -limit ? -limit : u;
  return __fmul_rn(__fmul_rn(g, logistic(__fmul_rn(alpha, g))), __fadd_rn(u, 1.0f));
}
