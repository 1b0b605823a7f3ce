// Kernels of products with packed weights: an include of each file and a line for each kernel.
#include "tables.h"

#include "../CGPUKernels/kernels/common.cuh"

namespace gpu_host {

const NamedKernel product_kernels[] = {
    {nullptr, nullptr}};

}  // namespace gpu_host
