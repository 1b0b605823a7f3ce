#pragma once

#include <stddef.h>
#include <stdint.h>

/// Takes whole blocks of 64 bytes into the eight words of a SHA-256 (FIPS 180-4), with the processor's
/// instructions for it where it has them.
void hybrimoe_sha256(uint32_t state[8], const uint8_t *bytes, size_t block_count);

/// The same as its definition reads, on any processor.
void hybrimoe_sha256_plain(uint32_t state[8], const uint8_t *bytes, size_t block_count);
