#pragma once

/// How often memory was asked for since the program began, on all threads.
///
/// The target replaces the C library's allocating functions by ones that count and pass on, so every
/// allocation of the program is seen, the Swift runtime's included. glibc only.
unsigned long allocation_count(void);
