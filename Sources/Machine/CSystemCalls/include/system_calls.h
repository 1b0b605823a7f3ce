// System calls that Swift cannot make itself: those without a function of the C library, and those
// whose arguments are macros.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Sleeps until someone wakes the word's sleepers; returns at once where it is not `value`, and
/// sometimes for no reason.
void csc_futex_wait(const void *word, uint32_t value);

/// Wakes at most `count` of the word's sleepers.
void csc_futex_wake(const void *word, int count);

/// Lets the calling thread run on these processors only. Returns 0 or the system's error number.
int csc_bind_thread(const int32_t *processors, size_t count);

/// Spreads pages that are touched from now on over memory nodes, one after the other.
/// Returns 0 or the system's error number.
int csc_interleave(void *address, size_t byte_count, const int32_t *nodes, size_t count);

/// A word that a device or another thread writes; what was written before it is visible afterwards.
static inline uint32_t csc_load_acquiring(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/// Writes a word that a device or another thread reads; what was written before is visible with it.
static inline void csc_store_releasing(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// Tells the processor that its thread waits in a loop.
static inline void csc_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
