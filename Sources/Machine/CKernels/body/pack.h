// Native rows into packed tiles (layouts: ckernels_packed.h).

static int pack(const ck_weights *weights, size_t tile_begin, size_t tile_end, void *packed) {
  (void)weights, (void)tile_begin, (void)tile_end, (void)packed;
  return -1;
}
