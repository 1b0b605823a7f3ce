// Runs prefill.cu on this processor and compares its bits with the golden vectors.
// usage: check FIXTURES
#include "prefill.cu"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "ckernels.h"

extern "C" const ck_kernels ck_kernels_portable;

static std::vector<uint8_t> contents(const std::string &path) {
  FILE *file = fopen(path.c_str(), "rb");
  if (!file) fprintf(stderr, "cannot read %s\n", path.c_str()), exit(1);
  std::vector<uint8_t> bytes;
  for (int c; (c = fgetc(file)) != EOF;) bytes.push_back((uint8_t)c);
  fclose(file);
  return bytes;
}

static uint8_t *aligned(size_t bytes) { return (uint8_t *)aligned_alloc(64, ck_lines(bytes)); }

/// Packs the golden file's weights, quantises its activations, and counts the numbers that differ.
static int wrong_numbers(const std::string &path, size_t block_bytes, size_t width, gpu_host::Entry kernel) {
  std::vector<uint8_t> file = contents(path);
  uint32_t head[4];
  memcpy(head, file.data(), 16);
  size_t rows = head[1], columns = head[2], tokens = head[3], n = columns / width, row_bytes = n * block_bytes;
  const uint8_t *weights = file.data() + 16, *x = weights + rows * row_bytes;
  const uint8_t *expected = file.data() + file.size() - 4 * rows * tokens;
  size_t tiles = (rows + 15) / 16, tile_bytes = ck_tile_bytes(head[0], columns);
  size_t record_bytes = ck_record_offset(columns, width, CK_RECORD_END);

  uint8_t *packed = aligned(tiles * tile_bytes), *records = aligned(tokens * record_bytes);
  const ck_weights matrix = {weights, nullptr, row_bytes, rows, columns, head[0]};
  if (ck_kernels_portable.pack(&matrix, 0, tiles, packed) != 0) return 1;
  std::vector<float> row(columns), y(rows * tokens, 12345.0f);
  for (size_t t = 0; t < tokens; t++) {
    memcpy(row.data(), x + 4 * columns * t, 4 * columns);
    ck_kernels_portable.quantize(row.data(), columns, width, 0, n, records + record_bytes * t);
  }
  Product product = {packed,         records,         y.data(), (u32)tile_bytes, (u32)record_bytes,
                     (u32)rows,      (u32)tokens,     (u32)n};
  const unsigned groups = ((unsigned)tokens + TOKENS - 1) / TOKENS;
  if (const char *failure = gpu_host::run({kernel, &product, {(unsigned)tiles, groups, 1}, {128, 1, 1}, 0, 0}))
    fprintf(stderr, "%s\n", failure), exit(1);
  int wrong = 0;
  for (size_t i = 0; i < y.size(); i++) {
    float e;
    memcpy(&e, expected + 4 * i, 4);
    wrong += !(std::isnan(e) && std::isnan(y[i])) && memcmp(&e, &y[i], 4) != 0;
  }
  free(packed), free(records);
  return wrong;
}

int main(int count, char **arguments) {
  if (count != 2) return fprintf(stderr, "usage: check FIXTURES\n"), 2;
  std::string folder = std::string(arguments[1]) + "/";
  const struct {
    const char *name, *type;
    size_t block_bytes, width;
    gpu_host::Entry kernel;
  } cases[] = {{"prefill_q4_k", "Q4_K", 144, 256, gpu_host::Called<prefill_q4_k>::entry},
               {"prefill_q5_0", "Q5_0", 22, 32, gpu_host::Called<prefill_q5_0>::entry}};
  int failures = 0;
  for (const auto &c : cases) {
    std::string path = folder + c.type + ".product";
    int wrong = wrong_numbers(path, c.block_bytes, c.width, c.kernel);
    printf("%-14s %s\n", c.name, wrong ? (std::to_string(wrong) + " numbers differ").c_str() : "same bits");
    failures += wrong != 0;
  }
  return failures != 0;
}
