// exp and what is made of it, bit for bit as Sources/Machine/CKernels/body/elementwise.h computes it.
#pragma once
#include "common.cuh"

/// The polynomial of both exponentials: exp(r) for |r| <= ln 2 / 2.
DEVICE float exponential_of_rest(float r) {
  float p = 1.0f / 5040.0f;
  p = __fmaf_rn(p, r, 1.0f / 720.0f);
  p = __fmaf_rn(p, r, 1.0f / 120.0f);
  p = __fmaf_rn(p, r, 1.0f / 24.0f);
  p = __fmaf_rn(p, r, 1.0f / 6.0f);
  p = __fmaf_rn(p, r, 0.5f);
  p = __fmaf_rn(p, r, 1.0f);
  return __fmaf_rn(p, r, 1.0f);
}

/// exp(x): 0 below -87.33654, infinity above 88.72284, NaN for NaN.
DEVICE float exponential(float x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  if (x < -87.33654f) return 0.0f;
  if (x > 88.72284f) return __int_as_float(0x7f800000);
  if (x != x) return x;
  float n = __fadd_rn(__fmaf_rn(x, 1.44269504f, magic), -magic);
  float r = __fmaf_rn(n, -0.693145752f, x);
  r = __fmaf_rn(n, -1.42860677e-6f, r);
  int whole = (int)n, half = whole >> 1;
  float a = __int_as_float((half + 127) << 23), b = __int_as_float((whole - half + 127) << 23);
  return __fmul_rn(__fmul_rn(exponential_of_rest(r), a), b);
}

/// exponential(x), bit for bit, where x <= 0 or NaN: one multiplication by the power of two.
DEVICE float falling_exponential(float x) {
  const float magic = 12582912.0f;
  if (x < -87.33654f) return 0.0f;
  float t = __fmaf_rn(x, 1.44269504f, magic);
  float n = __fadd_rn(t, -magic);
  float r = __fmaf_rn(n, -0.693145752f, x);
  r = __fmaf_rn(n, -1.42860677e-6f, r);
  float power = __uint_as_float((__float_as_uint(t) << 23) + 0x3f800000u);
  return __fmul_rn(exponential_of_rest(r), power);
}

DEVICE float logistic(float x) { return __fdiv_rn(1.0f, __fadd_rn(1.0f, exponential(-x))); }
