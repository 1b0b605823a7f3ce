#define _GNU_SOURCE
#include "system_calls.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void csc_futex_wait(const void *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void csc_futex_wake(const void *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

int csc_bind_thread(const int32_t *processors, size_t count) {
  int largest = 0;
  for (size_t i = 0; i < count; i++)
    if (processors[i] > largest) largest = processors[i];
  cpu_set_t *set = CPU_ALLOC((size_t)largest + 1);
  if (!set) return ENOMEM;
  size_t size = CPU_ALLOC_SIZE((size_t)largest + 1);
  CPU_ZERO_S(size, set);
  for (size_t i = 0; i < count; i++)
    if (processors[i] >= 0) CPU_SET_S((size_t)processors[i], size, set);
  int code = sched_setaffinity(0, size, set) == 0 ? 0 : errno;
  CPU_FREE(set);
  return code;
}

int csc_interleave(void *address, size_t byte_count, const int32_t *nodes, size_t count) {
  enum { WORDS = 16, BITS = 8 * sizeof(unsigned long) };
  unsigned long mask[WORDS] = {0};
  for (size_t i = 0; i < count; i++) {
    if (nodes[i] < 0 || nodes[i] >= (int32_t)(WORDS * BITS)) return EINVAL;
    mask[nodes[i] / BITS] |= 1ul << (nodes[i] % BITS);
  }
  // The kernel reads one bit less than it is told.
  long code = syscall(SYS_mbind, address, byte_count, MPOL_INTERLEAVE, mask, WORDS * BITS, 0);
  return code == 0 ? 0 : errno;
}
