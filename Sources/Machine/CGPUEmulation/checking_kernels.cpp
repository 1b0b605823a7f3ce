// Kernels for the tests of the emulation itself; no GPU runs them. Their names begin with `checking_`.
#include "tables.h"

#include "../CGPUKernels/kernels/common.cuh"

/// Numbers `y`, and what each kernel wants to know besides.
typedef struct {
  u64 y;
  u32 count, wrong;
} CheckingArguments;

DEVICE u32 linear_block() { return blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z); }
DEVICE u32 thread_in_block() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
DEVICE u32 threads_of_block() { return blockDim.x * blockDim.y * blockDim.z; }

/// y[block][thread] = 1000 * block + thread, without a barrier.
KERNEL(checking_fill)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y + linear_block() * threads_of_block();
  y[thread_in_block()] = 1000 * linear_block() + thread_in_block();
}

/// y[0] counts; y[1 + i] is the thread that came as the i-th.
KERNEL(checking_order)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y;
  y[1 + atomicAdd(y, 1u)] = linear_block() * threads_of_block() + thread_in_block();
}

/// y[0] counts launches; y[1 + i] is the `count` of the i-th.
KERNEL(checking_mark)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y;
  y[1 + y[0]] = a.count;
  y[0]++;
}

/// y[block] = the sum of 0 ..< threads, by halves in shared memory; where `wrong`, without its barriers.
KERNEL(checking_sum)(const CheckingArguments a) {
  DYNAMIC_SHARED(u32, parts);
  u32 t = thread_in_block(), n = threads_of_block();
  parts[t] = t;
  if (!a.wrong) __syncthreads();
  for (u32 half = n / 2; half; half /= 2) {
    if (t < half) parts[t] += parts[t + half];
    if (!a.wrong) __syncthreads();
  }
  if (t == 0) ((u32 *)a.y)[linear_block()] = parts[0];
}

/// Warp sums by exchange, then over the warps: y[block * threads + thread] = the sum, for every thread.
KERNEL(checking_exchange)(const CheckingArguments a) {
  SHARED float warps[32];
  u32 t = thread_in_block();
  float sum = (float)t;
  for (int by = 16; by; by /= 2) sum = __fadd_rn(sum, __shfl_xor_sync(0xffffffffu, sum, by));
  if (t % 32 == 0) warps[t / 32] = sum;
  __syncthreads();
  sum = 0;
  for (u32 w = 0; w < (threads_of_block() + 31) / 32; w++) sum = __fadd_rn(sum, warps[w]);
  ((float *)a.y)[linear_block() * threads_of_block() + t] = sum;
}

/// One warp; y[exchange][lane]: what each kind of exchange gives of the numbers 100 + lane.
KERNEL(checking_kinds)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y, lane = threadIdx.x, v = 100 + lane;
  y[lane] = __shfl_sync(0xffffffffu, v, 5);
  y[32 + lane] = __shfl_sync(0xffffffffu, v, 1, 8);
  y[64 + lane] = __shfl_up_sync(0xffffffffu, v, 3);
  y[96 + lane] = __shfl_down_sync(0xffffffffu, v, 3);
  y[128 + lane] = __shfl_xor_sync(0xffffffffu, v, 9);
  y[160 + lane] = __ballot_sync(0xffffffffu, lane % 3 == 0);
  y[192 + lane] = (u32)__any_sync(0xffffffffu, lane == 31) * 2 + (u32)__all_sync(0xffffffffu, lane < 31);
  u64 wide = __shfl_xor_sync(0xffffffffu, (u64)v << 32 | 7, 1);
  y[224 + lane] = (u32)(wide >> 32) * 10 + (u32)wide;
  // Half a warp at a time.
  y[256 + lane] = lane < 16 ? __shfl_xor_sync(0x0000ffffu, v, 1) : __shfl_xor_sync(0xffff0000u, v, 2);
  y[288 + lane] = (u32)__syncthreads_count(lane % 2) + 100 * (u32)__syncthreads_or(lane == 7);
}

/// Threads from `count` on end before the barriers; the others go on without them: y[thread] = 1.
KERNEL(checking_ended)(const CheckingArguments a) {
  u32 t = thread_in_block();
  if (t >= a.count) return;
  __syncthreads();
  __syncwarp();
  ((u32 *)a.y)[t] = 1;
  __syncthreads();
}

/// `wrong` 1: some threads wait for the block, the others for their warp; 2: at different barriers of the
/// block; 3: some lanes never come to an exchange; 4: a lane exchanges for others.
KERNEL(checking_mismatch)(const CheckingArguments a) {
  u32 t = thread_in_block();
  bool other = t >= a.count;
  if (a.wrong == 1) {
    if (other)
      __syncwarp();
    else
      __syncthreads();
  }
  if (a.wrong == 2) {
    if (other)
      __syncthreads();
    else
      __syncthreads();
  }
  if (a.wrong == 3) {
    if (!other) __shfl_xor_sync(0xffffffffu, t, 1);
    __syncthreads();
  }
  if (a.wrong == 4) __shfl_xor_sync(1u << (t + 1) % 32, t, 1);
  ((u32 *)a.y)[t] = 1;
}

/// y[i] for i below 65536: the half i as F32; y[65536 + i]: y[65536 + i] as a half.
KERNEL(checking_halves)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y, i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = __float_as_uint(float_of_half((u16)i));
  y[65536 + i] = half_of_float(__uint_as_float(y[65536 + i]));
}

/// Four numbers at y[4 thread] become what each kind of integer arithmetic makes of them.
KERNEL(checking_integers)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y + 4 * (blockIdx.x * blockDim.x + threadIdx.x);
  const u32 p = y[0], q = y[1], r = y[2], s = y[3];
  y[0] = (u32)__dp4a((int)p, (int)q, (int)r);
  y[1] = __dp4a(p, q, r);
  y[2] = (u32)__dp2a_lo((int)p, (int)q, (int)r);
  y[3] = __byte_perm(p, q, s);
}

/// y[i] = y[i] as F32, rounded to an integer.
KERNEL(checking_rounding)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y;
  y[threadIdx.x] = (u32)__float2int_rn(__uint_as_float(y[threadIdx.x]));
}

/// One warp; y[0 ..< 128]: A [16][8 words of four columns]; y[128 ..< 192]: B [8][8 words];
/// y[192 ..< 320]: A B^T [16][8].
KERNEL(checking_matrices)(const CheckingArguments a) {
  u32 *y = (u32 *)a.y, q = threadIdx.x / 4, t = threadIdx.x % 4;
  const u32 from_a[4] = {y[8 * q + t], y[8 * (q + 8) + t], y[8 * q + t + 4], y[8 * (q + 8) + t + 4]};
  int c[4] = {};
  mma_u8(c, from_a, y[128 + 8 * q + t], y[128 + 8 * q + t + 4]);
  for (u32 i = 0; i < 4; i++) y[192 + 8 * (q + 8 * (i / 2)) + 2 * t + i % 2] = (u32)c[i];
}

namespace gpu_host {

const NamedKernel checking_kernels[] = {
    GPU_HOST_KERNEL(checking_fill),     GPU_HOST_KERNEL(checking_order), GPU_HOST_KERNEL(checking_sum),
    GPU_HOST_KERNEL(checking_exchange), GPU_HOST_KERNEL(checking_kinds), GPU_HOST_KERNEL(checking_ended),
    GPU_HOST_KERNEL(checking_mismatch), GPU_HOST_KERNEL(checking_mark),
    GPU_HOST_KERNEL(checking_halves),   GPU_HOST_KERNEL(checking_integers),
    GPU_HOST_KERNEL(checking_rounding), GPU_HOST_KERNEL(checking_matrices),
    {nullptr, nullptr}};

}  // namespace gpu_host
