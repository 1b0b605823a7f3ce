// What the GPU's kernels take: one struct by value each, the same bytes for host and device. The kernels
// compute the very bits of the CPU's (Docs/ARITHMETIC.md; Sources/Machine/CKernels); layouts of packed tiles
// and of records: ckernels_packed.h there.
//
// Read by the CUDA compiler without any other header. Addresses are the device's. Strides and lengths count
// numbers unless bytes are said. A kernel's name is that of its struct without `gpu_` and `_arguments`.
#pragma once

typedef unsigned long long gpu_address;
typedef unsigned int gpu_u32;
typedef int gpu_i32;

/// A packed matrix [rows, columns] of a ggml type: tiles of sixteen rows, `tile_bytes` each.
typedef struct {
  gpu_address tiles;
  gpu_u32 rows, columns, element_type, tile_bytes;
} gpu_matrix;

/// Where `change` is not 0: x += change, row by row. Then y = x / sqrt(mean(x^2) + epsilon) * weight for each of `segments` parts
/// of `columns` numbers of each row. weight: [columns]. y may be x; 0: only the sum.
/// With `change`, segments is 1. Sum of squares: sixteen partial sums, folded.
/// Grid (rows, segments), block: whole warps.
typedef struct {
  gpu_address x, change, weight, y;
  gpu_u32 x_stride, change_stride, y_stride, rows, segments, columns;
  float epsilon;
} gpu_rms_norm_arguments;

/// Rows of F32 to records of `width` (256, 32, or 0: plain F32 rows). x: [rows, heads parts `head_stride` apart of `columns`].
/// records: [heads][rows] records; copy: the same again (mapped host memory), or 0.
typedef struct {
  gpu_address x, records, copy;
  gpu_u32 x_stride, rows, columns, width, heads, head_stride;
} gpu_quantize_arguments;

/// y = x W^T + bias. x: [heads][tokens] records of the width of the type; y: [tokens] rows `y_stride` apart, head h at
/// h * y_head_stride; weights of head h at h * weights_head_bytes. bias: [rows] or 0 (heads 1).
typedef struct {
  gpu_matrix weights;
  gpu_address x, y, bias;
  unsigned long long weights_head_bytes;
  gpu_u32 tokens, y_stride, heads, y_head_stride;
} gpu_product_arguments;

/// y[t][c] = sum over rows r, ascending, of fma(x[t][r], W[r][c], .) from +0: W is F32 [rows, columns] for each head, plainly stored.
/// x: [tokens] rows `x_stride` apart, head h at h * x_head_stride; y likewise; weights of head h at h * rows * columns numbers.
typedef struct {
  gpu_address weights, x, y;
  gpu_u32 rows, columns, tokens, heads, x_stride, x_head_stride, y_stride, y_head_stride;
} gpu_product_transposed_arguments;

enum { GPU_SILU = 0, GPU_CLAMPED_SWIGLU = 1 };

/// Rows of a step that go to one expert whose weights lie in a slot: grouped rows first ..< first + count.
typedef struct {
  gpu_address slot;
  gpu_u32 expert, first, count, reserved;
} gpu_expert_group;

/// First half of experts: h = activation(x gate^T + gate_bias, x up^T + up_bias), written as records of `out_width` of `gate.rows` numbers
/// (0: F32 rows). In `gate` and `up` the address is an offset in bytes from the group's slot. gate_x, up_x: [tokens] records in the
/// widths of gate's and up's types. row_tokens: [grouped rows] which token each row reads; 0: row i reads
/// token i (shared expert, dense network: one group with expert 0).
/// biases: [experts][rows] or 0. groups: group_count groups (grid z); out: [grouped rows] records.
typedef struct {
  gpu_matrix gate, up;
  gpu_address gate_bias, up_bias, gate_x, up_x, groups, row_tokens, out;
  gpu_u32 group_count, most_rows, out_width, activation;
  float alpha, limit;
} gpu_gated_arguments;

/// Second half of experts: y[row] = h[row] down^T + bias for the grouped rows. h: [grouped rows] records; y: [grouped rows] rows
/// `y_stride` apart. down's address is an offset from the slot.
typedef struct {
  gpu_matrix down;
  gpu_address bias, x, groups, y;
  gpu_u32 group_count, most_rows, y_stride;
} gpu_down_arguments;

/// Rotates `pairs` pairs of every head, from `offset` in the head on. x: [rows, heads * head_length] `x_stride` apart.
/// cosines, sines: [rows, pairs], `angle_stride` apart. halves: pair i is (i, pairs + i), else (2 i, 2 i + 1).
/// Grid (rows, heads), any block.
typedef struct {
  gpu_address x, cosines, sines;
  gpu_u32 x_stride, rows, heads, head_length, offset, pairs, halves, angle_stride;
} gpu_rotate_arguments;

/// Writes rows of keys or values into a cache [heads][positions][stored length] of F32, F16 or Q8_0 (type 0, 1, 8), the last
/// block filled up with zeros. x: [rows, heads * length]; row t goes to position + t. head_bytes: one position of a head.
/// Grid (rows, heads), block: whole warps.
typedef struct {
  gpu_address x, cache;
  unsigned long long head_stride_bytes;
  gpu_u32 x_stride, rows, heads, length, position, element_type, head_bytes;
} gpu_store_rows_arguments;

/// Attention as body/attention.h of the CPU's kernels defines it. queries: [rows, heads * key_length]; out: [rows, heads * value_length].
/// Row t stands at position + t; head h reads key-value head h / group. keys, values: [key-value heads][positions] of `element_type`,
/// key_head_stride bytes from head to head, key_stride bytes from position to position; values 0: a value is the first numbers of its key.
/// sinks: [heads] or 0. window 0: all. Grid (rows, heads), block: whole warps, at most 256 threads, shared memory:
/// `gpu_attention_shared` bytes.
///
/// A few rows that see many positions are computed in parts: with `scratch`, the grid is (rows, heads, parts), each part
/// takes some of the blocks of 256 positions, and what a block gives is left in scratch for `attention_merge`:
/// [rows][heads][blocks] of the largest score, the sum and value_length sums; `blocks`: at least as many as any row sees.
/// Scratch 0: parts 1.
typedef struct {
  gpu_address queries, out, keys, values, sinks, scratch;
  unsigned long long key_head_stride, value_head_stride;
  gpu_u32 query_stride, out_stride, rows, heads, group, key_length, value_length, position, window, element_type;
  gpu_u32 key_stride, value_stride, blocks;
  float scale;
} gpu_attention_arguments;

/// Joins what the blocks of positions gave, in ascending order, and takes the sinks. All as for `attention`.
/// Grid (rows, heads), any block.
typedef struct {
  gpu_address scratch, out, sinks;
  gpu_u32 out_stride, rows, heads, value_length, position, window, blocks;
} gpu_attention_merge_arguments;

/// Cached rows to F32: y[row][c], row = 0 ..< rows from position `first` on. cache: one head, `row_bytes` from position to position.
/// Grid (rows), any block.
typedef struct {
  gpu_address cache, y;
  gpu_u32 first, rows, columns, element_type, row_bytes, y_stride;
} gpu_load_rows_arguments;

/// Keys of all heads from latents (prefill of latent attention). latents: F32 [rows, latent + rotary] `latent_stride` apart;
/// weights: F32 [heads][plain][latent]; keys: F32 [heads][positions capacity][plain + rotary], key_head_stride numbers from head to head.
/// key[d] = fma over c ascending of (weights[d][c], latent[c], .) from +0 for the plain part; the rotary part is copied behind it.
/// Grid (rows / 64, plain / 64, heads), rounded up; block: 256.
typedef struct {
  gpu_address latents, weights, keys;
  unsigned long long key_head_stride;
  gpu_u32 rows, heads, plain, latent, rotary, latent_stride;
} gpu_expand_keys_arguments;

/// Copies columns: y[row][head * y_head_stride + c] = x[row][head * x_head_stride + c]. Grid (rows, heads), any block.
typedef struct {
  gpu_address x, y;
  gpu_u32 rows, heads, columns, x_stride, x_head_stride, y_stride, y_head_stride;
} gpu_copy_columns_arguments;

enum { GPU_GATING_SOFTMAX = 0, GPU_GATING_SIGMOID = 1, GPU_GATING_SOFTMAX_OF_CHOSEN = 2 };

/// Chooses experts as Router.swift defines it. logits: [tokens, experts] `logits_stride` apart (bias included).
/// selection_bias: [experts] or 0. ids, weights: [tokens * chosen] each, mapped host memory; device_weights: the same on the device.
/// probabilities: [tokens, experts] mapped, or 0: what the observer sees (softmax over all where the gating is of the chosen).
/// groups 1: no groups. group_score 0: best of the group, 1: sum of its two best.
/// Grid (tokens), block: 32, shared memory: `gpu_route_shared` bytes.
typedef struct {
  gpu_address logits, selection_bias, ids, weights, device_weights, probabilities;
  gpu_u32 logits_stride, tokens, experts, chosen, gating, groups, used_groups, group_score, normalizes;
  float scale;
} gpu_route_arguments;

/// Probabilities alone (what later layers' routers would say): as `route` writes them.
/// Grid (tokens), block: 32, shared memory: 4 bytes for each expert.
typedef struct {
  gpu_address logits, probabilities;
  gpu_u32 logits_stride, tokens, experts, gating;
} gpu_foresee_arguments;

/// Sums the experts' rows in rank order: y = 0, then y = fma(weight, row, y) for each rank; then, where `shared` is not 0,
/// y = fma(1, shared, y). origins: [tokens * ranks]: bit 31 set: that row of `host_rows`, else of `device_rows`; both `row_stride` apart.
/// Grid (tokens, columns / threads of a block), rounded up; any block.
typedef struct {
  gpu_address device_rows, host_rows, origins, weights, shared, y;
  gpu_u32 row_stride, tokens, ranks, columns, y_stride, shared_stride;
} gpu_combine_arguments;

/// x[row] *= 1 / (1 + exp(-gate[row])), all columns of a row by its own gate (stride 1 of gate: gate_stride).
/// Grid (rows), any block.
typedef struct {
  gpu_address x, gate;
  gpu_u32 rows, columns, x_stride, gate_stride;
} gpu_weigh_arguments;

/// Makes all that was written before visible to the host, then writes the word. Grid (1), block: 1.
typedef struct {
  gpu_address word;
  gpu_u32 value;
} gpu_publish_arguments;

// For the host only.
#if !defined(__CUDACC_RTC__)
/// Numbers of scratch that one row and head of `attention` needs where it is computed in parts.
static inline unsigned long long gpu_attention_scratch(unsigned value_length, unsigned blocks) {
  return (unsigned long long)blocks * (value_length + 2);
}

/// Bytes of shared memory that a block of `attention` needs: the query, the results, a block's exponentials, the
/// warps' maxima, a sum, and for each of at most eight warps 32 keys' next 32 numbers.
static inline unsigned gpu_attention_shared(unsigned key_length, unsigned value_length) {
  return 4 * (key_length + value_length + 256 + 16 + 8 * 32 * 33);
}

/// Bytes of shared memory that a block of `route` needs: scores, what is chosen by, probabilities; groups' scores and
/// whether they are kept; ids and weights.
static inline unsigned gpu_route_shared(unsigned experts, unsigned chosen, unsigned groups) {
  return 4 * (3 * experts + 2 * groups + 2 * chosen);
}
#endif
