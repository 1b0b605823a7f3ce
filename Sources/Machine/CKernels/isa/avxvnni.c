#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../include/ckernels.h"

#define CK_NAME "avxvnni"
#define CK_TABLE ck_kernels_avxvnni
#define CK_BYTE_SHUFFLE 1
#define CK_TABLE_PERMUTE 0
#define CK_HARDWARE_HALF 1
#define CK_INT8_DOT 2
#define CK_VECTOR_BITS 256
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
