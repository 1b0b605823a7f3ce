// The dense part's kernels: an include of each file and a line for each kernel.
#include "tables.h"

#include "../CGPUKernels/kernels/attention.cu"
#include "../CGPUKernels/kernels/attention_merge.cu"
#include "../CGPUKernels/kernels/combine.cu"
#include "../CGPUKernels/kernels/copy_columns.cu"
#include "../CGPUKernels/kernels/expand_keys.cu"
#include "../CGPUKernels/kernels/foresee.cu"
#include "../CGPUKernels/kernels/load_rows.cu"
#include "../CGPUKernels/kernels/publish.cu"
#include "../CGPUKernels/kernels/rms_norm.cu"
#include "../CGPUKernels/kernels/rotate.cu"
#include "../CGPUKernels/kernels/route.cu"
#include "../CGPUKernels/kernels/store_rows.cu"
#include "../CGPUKernels/kernels/weigh.cu"

namespace gpu_host {

const NamedKernel dense_kernels[] = {
    GPU_HOST_KERNEL(attention),
    GPU_HOST_KERNEL(attention_merge),
    GPU_HOST_KERNEL(combine),
    GPU_HOST_KERNEL(copy_columns),
    GPU_HOST_KERNEL(expand_keys),
    GPU_HOST_KERNEL(foresee),
    GPU_HOST_KERNEL(load_rows),
    GPU_HOST_KERNEL(publish),
    GPU_HOST_KERNEL(rms_norm),
    GPU_HOST_KERNEL(rotate),
    GPU_HOST_KERNEL(route),
    GPU_HOST_KERNEL(store_rows),
    GPU_HOST_KERNEL(weigh),
    {nullptr, nullptr}};

}  // namespace gpu_host
