// Kernels of products with packed weights: an include of each file and a line for each kernel.
#include "tables.h"

#include "../CGPUKernels/kernels/down.cu"
#include "../CGPUKernels/kernels/gated.cu"
#include "../CGPUKernels/kernels/product.cu"
#include "../CGPUKernels/kernels/product_transposed.cu"
#include "../CGPUKernels/kernels/quantize.cu"

namespace gpu_host {

const NamedKernel product_kernels[] = {
    GPU_HOST_KERNEL(down),
    GPU_HOST_KERNEL(gated),
    GPU_HOST_KERNEL(product),
    GPU_HOST_KERNEL(product_transposed),
    GPU_HOST_KERNEL(quantize),
    {nullptr, nullptr}};

}  // namespace gpu_host
