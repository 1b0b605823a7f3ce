#include "include/gpu_kernels.h"

#include "ptx/files.h"

const gpu_ptx *gpu_ptx_files(void) { return files; }
size_t gpu_ptx_count(void) { return sizeof files / sizeof *files; }
