// Products of packed weights with records of activations.

static int product(const ck_product_job *job, size_t tile_begin, size_t tile_end, void *scratch) {
  (void)job, (void)tile_begin, (void)tile_end, (void)scratch;
  return -1;
}

static int gated_product(const ck_gated_job *job, size_t tile_begin, size_t tile_end, void *scratch) {
  (void)job, (void)tile_begin, (void)tile_end, (void)scratch;
  return -1;
}
