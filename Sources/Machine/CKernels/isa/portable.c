// The kernels in plain C: the reference of the others, and what a processor without AVX2 runs.
#include <string.h>

#include "../include/ckernels.h"

#define CK_NAME "portable"
#define CK_TABLE ck_kernels_portable
#define CK_BYTE_SHUFFLE 0
#define CK_TABLE_PERMUTE 0
#define CK_HARDWARE_HALF 0
#define CK_INT8_DOT 0
#define CK_VECTOR_BITS 128
#include "../body/kernels.h"
