// Rows of activations into records (layout: ckernels_packed.h).

static void quantize(const float *x, size_t columns, size_t width, size_t block_begin, size_t block_end,
                     void *record) {
  (void)x, (void)columns, (void)width, (void)block_begin, (void)block_end, (void)record;
}
