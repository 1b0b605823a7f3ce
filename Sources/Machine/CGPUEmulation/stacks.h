// Stacks and switching between them: what fibers are made of.
#pragma once
#include <cstddef>

// The C library's way works everywhere and makes a system call with each switch.
#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(GPU_HOST_UCONTEXT)
#define GPU_HOST_UCONTEXT
#endif
#if defined(GPU_HOST_UCONTEXT)
#include <ucontext.h>
#endif

namespace gpu_host {

/// A place where execution stands: the host's own stack, or one that `begin` made.
struct Context {
#if defined(GPU_HOST_UCONTEXT)
  ucontext_t state;
#else
  void *top = nullptr;
#endif
  // The stack's lowest byte and length; of the host's own stack as a sanitizer says.
  const void *low = nullptr;
  size_t byte_count = 0;
  void *sanitizer_stack = nullptr;
  void *sanitizer_fiber = nullptr;
};

/// Memory for a stack with an unreadable page below it, so that an overflow ends the program at once; or null.
void *allocate_stack(size_t byte_count);
void free_stack(void *stack, size_t byte_count);

/// Lets `context` stand at the beginning of `entry`, which never returns, on an empty stack.
void begin(Context &context, void *stack, size_t byte_count, void (*entry)());

/// What sanitizers know of a context is forgotten before its stack is freed.
void end(Context &context);

/// Goes on at `to`; returns when something goes on at `from`.
void switch_stacks(Context &from, Context &to);

/// First call on a fresh stack; `from`: where the switch came from.
void arrived(Context &from);

}  // namespace gpu_host
