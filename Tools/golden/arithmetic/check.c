// Compares the kernels' bits with the golden vectors, for every instruction set of this processor: rows
// quantised, weights packed and native. In C alone, so that it also runs where Swift does not.
// usage: check FIXTURE...
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

/// A fixture's parts; pointers into its bytes.
typedef struct {
  uint32_t type;
  size_t rows, columns, tokens, row_bytes, width;
  const uint8_t *weights, *x, *numbers, *scales, *y;
} golden;

static uint8_t *lines_of(size_t bytes) {
  uint8_t *memory = aligned_alloc(64, ck_lines(bytes + 1));
  if (!memory) fprintf(stderr, "out of memory\n"), exit(1);
  return memory;
}

static uint8_t *contents(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) fprintf(stderr, "cannot read %s\n", path), exit(1);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = lines_of(*size);
  if (fread(bytes, 1, *size, file) != *size) fprintf(stderr, "cannot read %s\n", path), exit(1);
  fclose(file);
  return bytes;
}

static golden read_golden(const char *path) {
  size_t size;
  uint8_t *bytes = contents(path, &size);
  uint32_t head[4];
  memcpy(head, bytes, 16);
  golden g = {.type = head[0], .rows = head[1], .columns = head[2], .tokens = head[3]};
  g.width = ck_activation_width(g.type);
  size_t quantised = g.width ? g.tokens * (g.columns + g.columns / g.width * 4) : 0;
  size_t x = 4 * g.tokens * g.columns, y = 4 * g.tokens * g.rows;
  g.row_bytes = (size - 16 - x - quantised - y) / g.rows;
  g.weights = bytes + 16, g.x = g.weights + g.rows * g.row_bytes;
  g.numbers = g.x + x, g.scales = g.numbers + g.tokens * g.columns, g.y = bytes + size - y;
  return g;
}

/// How many of `count` numbers differ; a NaN equals any NaN.
static int differing(const uint8_t *expected, const float *found, size_t count) {
  int wrong = 0;
  for (size_t i = 0; i < count; i++) {
    float e;
    memcpy(&e, expected + 4 * i, 4);
    wrong += !(isnan(e) && isnan(found[i])) && memcmp(&e, &found[i], 4) != 0;
  }
  return wrong;
}

static int wrong_numbers(const golden *g, const ck_kernels *kernels) {
  size_t record_bytes = ck_record_offset(g->columns, g->width, CK_RECORD_END), tiles = (g->rows + 15) / 16;
  uint8_t *records = lines_of(record_bytes * g->tokens);
  uint8_t *scratch = lines_of(ck_product_scratch(g->type, g->columns));
  uint8_t *packed = lines_of(tiles * ck_tile_bytes(g->type, g->columns));
  float *row = malloc(4 * g->columns), *y = malloc(4 * g->rows * g->tokens);
  const void **x = malloc(g->tokens * sizeof *x);
  float **out = malloc(g->tokens * sizeof *out);
  int wrong = 0;
  for (size_t t = 0; t < g->tokens; t++) {
    uint8_t *record = records + t * record_bytes;
    size_t blocks = g->width ? g->columns / g->width : g->columns;
    memcpy(row, g->x + 4 * t * g->columns, 4 * g->columns);
    kernels->quantize(row, g->columns, g->width, 0, blocks, record);
    x[t] = record, out[t] = y + t * g->rows;
    if (!g->width) continue;
    const float *scales = (const float *)(record + ck_record_offset(g->columns, g->width, CK_RECORD_SCALES));
    wrong += memcmp(record, g->numbers + t * g->columns, g->columns) != 0;
    wrong += differing(g->scales + 4 * t * blocks, scales, blocks);
  }
  const ck_weights native = {g->weights, NULL, g->row_bytes, g->rows, g->columns, g->type};
  ck_product_job job = {native, NULL, x, out, NULL, g->tokens};
  for (int pass = 0; pass < 2; pass++) {  // native weights, then packed ones
    memset(y, 0xa5, 4 * g->rows * g->tokens);
    wrong += kernels->product(&job, 0, tiles, scratch) != 0;
    wrong += differing(g->y, y, g->rows * g->tokens);
    wrong += kernels->pack(&job.weights, 0, tiles, packed) != 0;
    job.weights.packed = packed;
  }
  free(records), free(scratch), free(packed), free(row), free(y), free(x), free(out);
  return wrong;
}

/// The fixture `activations`: n; x, gate, up, exp(x), silu, clamped, each [n].
static int wrong_activations(const char *path, const ck_kernels *kernels) {
  size_t size, n;
  uint8_t *bytes = contents(path, &size);
  n = (size - 4) / 24;
  float *gate = malloc(4 * n), *up = malloc(4 * n);
  memcpy(up, bytes + 4 + 8 * n, 4 * n);
  memcpy(gate, bytes + 4 + 4 * n, 4 * n);
  kernels->silu_multiply(gate, up, n);
  int wrong = differing(bytes + 4 + 16 * n, gate, n);
  memcpy(gate, bytes + 4 + 4 * n, 4 * n);
  kernels->clamped_swiglu(gate, up, 1.702f, 7, n);
  wrong += differing(bytes + 4 + 20 * n, gate, n);
  free(bytes), free(gate), free(up);
  return wrong;
}

int main(int count, char **paths) {
  int failures = 0;
  for (int set = 0; set < CK_ISA_COUNT; set++) {
    const ck_kernels *kernels = ck_kernels_for(set);
    if (!kernels) continue;
    int wrong = 0;
    for (int i = 1; i < count; i++) {
      int here;
      if (strstr(paths[i], ".product")) {
        golden g = read_golden(paths[i]);
        here = wrong_numbers(&g, kernels);
      } else {
        here = wrong_activations(paths[i], kernels);
      }
      if (here) printf("%s: %d numbers differ in %s\n", kernels->name, here, paths[i]);
      wrong += here;
    }
    printf("%-12s %s\n", kernels->name, wrong ? "differs" : "same bits");
    failures += wrong != 0;
  }
  return failures != 0 || count < 2;
}
