// The kernels by name: each table ends with a null name.
#pragma once
#include "cuda_on_host.h"

namespace gpu_host {

extern const NamedKernel dense_kernels[], product_kernels[], checking_kernels[];

}  // namespace gpu_host
