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
