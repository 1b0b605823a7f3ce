#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../include/ckernels.h"

#define CK_NAME "avx2"
#define CK_TABLE ck_kernels_avx2
#define CK_BYTE_SHUFFLE 1
#define CK_TABLE_PERMUTE 0
#define CK_HARDWARE_HALF 1
#define CK_INT8_DOT 1
#define CK_VECTOR_BITS 256
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
