// y = x W of weights that are stored the other way round: rows of W in order, each turned into F32 once,
// scaled by every token's number for it and added.

static int transposed_product(const ck_transposed_job *job, float *scratch) {
  size_t columns = job->columns;
  for (size_t t = 0; t < job->tokens; t++) memset(job->y + t * job->y_stride, 0, columns * sizeof(float));
  for (size_t row = 0; row < job->rows; row++) {
    const uint8_t *source = (const uint8_t *)job->weights + row * job->row_bytes;
    if (dequantize(job->element_type, source, scratch, columns)) return -1;
    for (size_t t = 0; t < job->tokens; t++)
      add_scaled(job->y + t * job->y_stride, scratch, job->x[t * job->x_stride + row], columns);
  }
  return 0;
}
