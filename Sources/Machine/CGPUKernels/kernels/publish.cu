// Tells the host how far the stream is.
//
// Shape: one thread. What earlier kernels of the stream wrote, mapped memory included, is visible before
// the word.
#include "common.cuh"

KERNEL(publish)(const gpu_publish_arguments a) {
  __threadfence_system();
  store_word((u32 *)a.word, a.value);
}
