#include "ckernels.h"

extern const ck_kernels ck_kernels_portable;
#if defined(__x86_64__)
extern const ck_kernels ck_kernels_avx2;
extern const ck_kernels ck_kernels_avxvnni;
extern const ck_kernels ck_kernels_avx512;
extern const ck_kernels ck_kernels_avx512vnni;
#endif

#if defined(__x86_64__)
static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#endif

const ck_kernels *ck_kernels_for(int instruction_set) {
  switch (instruction_set) {
  case CK_ISA_PORTABLE:
    return &ck_kernels_portable;
#if defined(__x86_64__)
  case CK_ISA_AVX2:
    return has_avx2() ? &ck_kernels_avx2 : NULL;
  case CK_ISA_AVXVNNI:
    return has_avx2() && __builtin_cpu_supports("avxvnni") ? &ck_kernels_avxvnni : NULL;
  case CK_ISA_AVX512:
    return has_avx512() ? &ck_kernels_avx512 : NULL;
  case CK_ISA_AVX512VNNI:
    return has_avx512() && __builtin_cpu_supports("avx512vnni") ? &ck_kernels_avx512vnni : NULL;
#endif
  default:
    return NULL;
  }
}
