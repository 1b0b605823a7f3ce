// The body of the kernels, included once per instruction set. Before the inclusion are defined:
// CK_NAME, CK_TABLE, CK_HARDWARE_HALF (whether the instruction set converts half floats),
// CK_BYTE_SHUFFLE (whether it has the byte shuffle of SSSE3), CK_TABLE_PERMUTE (whether it looks sixteen
// numbers up in a table of sixteen floats at once), CK_INT8_DOT (how four byte pairs are multiplied and
// added: 0 in plain C, 1 by way of 16 bits, 2 in one instruction), CK_VECTOR_BITS (of a register).
//
// All arithmetic is on vectors of sixteen numbers, which the compiler maps onto what there is; no
// contraction, so that every instruction set rounds at the same places.
#pragma STDC FP_CONTRACT OFF
// Vectors wider than the instruction set's registers change how a call would pass them; here they
// only meet functions that are always inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define CK_INLINE static inline __attribute__((always_inline))

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16x __attribute__((vector_size(64)));
typedef uint32_t u16x __attribute__((vector_size(64)));
typedef uint8_t b16 __attribute__((vector_size(16)));
typedef int8_t s16 __attribute__((vector_size(16)));
typedef float v16u __attribute__((vector_size(64), aligned(1), may_alias));
typedef uint8_t b16u __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t b32 __attribute__((vector_size(32)));
typedef int8_t s32 __attribute__((vector_size(32)));
typedef uint8_t b32u __attribute__((vector_size(32), aligned(1), may_alias));
typedef int8_t s32u __attribute__((vector_size(32), aligned(1), may_alias));
typedef int8_t s16u __attribute__((vector_size(16), aligned(1), may_alias));

#define CK_LOAD(p) (*(const v16u *)(p))
#define CK_STORE(p, v) (*(v16u *)(p) = (v))
#define CK_LOAD_BYTES(p) (*(const b16u *)(p))
#define CK_FMA(a, b, c) __builtin_elementwise_fma((a), (b), (c))

/// x in every lane; not x + 0, which would lose the sign of -0.
CK_INLINE v16 splat(float x) { return (v16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
#define CK_SPLAT(x) splat(x)

#include "dot.h"
#include "half.h"
#include "sums.h"
#include "dequantize.h"
#include "elementwise.h"
#include "transposed.h"
#include "attention.h"
#include "pack.h"
#include "quantize.h"
#include "products.h"
#include "ceilings.h"

const ck_kernels CK_TABLE = {
    .name = CK_NAME,
    .dequantize = dequantize,
    .store_row = store_row,
    .transposed_product = transposed_product,
    .attention = attention,
    .fill_tile = fill_tile,
    .expand_tile = expand_tile,
    .transpose = transpose,
    .attention_merge = attention_merge,
    .rms_norm = rms_norm,
    .add_scaled = add_scaled,
    .silu_multiply = silu_multiply,
    .clamped_swiglu = clamped_swiglu,
    .softmax = softmax,
    .rotate = rotate,
    .read = read_all,
    .read_ahead = read_ahead,
    .multiply_add = multiply_add,
    .sigmoid = sigmoid,
    .pack = pack,
    .quantize = quantize,
    .interleave = interleave,
    .product = product,
    .gated_product = gated_product,
#if CK_INT8_DOT >= 1
    .multiply_add_int8 = multiply_add_int8,
#endif
};
