// The GPU's kernels as PTX, carried inside the binary.
#pragma once
#include "gpu_arguments.h"
#include <stddef.h>

#if defined(__cplusplus)
extern "C" {
#endif

/// A file of kernels, compiled to PTX.
typedef struct {
  const char *name;
  const char *text;
  size_t byte_count;
} gpu_ptx;

/// All files; their number is `gpu_ptx_count`.
const gpu_ptx *gpu_ptx_files(void);
size_t gpu_ptx_count(void);

#if defined(__cplusplus)
}
#endif
