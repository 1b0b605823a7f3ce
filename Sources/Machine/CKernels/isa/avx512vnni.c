#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../include/ckernels.h"

#define CK_NAME "avx512vnni"
#define CK_TABLE ck_kernels_avx512vnni
#define CK_BYTE_SHUFFLE 1
#define CK_TABLE_PERMUTE 1
#define CK_HARDWARE_HALF 1
#define CK_INT8_DOT 2
#define CK_VECTOR_BITS 512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
