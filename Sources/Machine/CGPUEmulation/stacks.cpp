#include "stacks.h"

#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GPU_HOST_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_feature(thread_sanitizer)
#define GPU_HOST_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

#if defined(GPU_HOST_UCONTEXT)
// Nothing of our own.
#elif defined(__x86_64__)
// Only what a callee has to keep; the rest the compiler saves itself around a call.
asm(R"(
.text
.p2align 4
.hidden gpu_host_switch
.globl gpu_host_switch
.type gpu_host_switch, @function
gpu_host_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size gpu_host_switch, . - gpu_host_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.hidden gpu_host_switch
.globl gpu_host_switch
.type gpu_host_switch, @function
gpu_host_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size gpu_host_switch, . - gpu_host_switch
)");
#endif

#if !defined(GPU_HOST_UCONTEXT)
extern "C" void gpu_host_switch(void **from, void *to);
#endif

namespace gpu_host {

static size_t page() { return (size_t)sysconf(_SC_PAGESIZE); }

void *allocate_stack(size_t byte_count) {
  void *all = mmap(nullptr, page() + byte_count, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  mprotect(all, page(), PROT_NONE);
  return (char *)all + page();
}

void free_stack(void *stack, size_t byte_count) { munmap((char *)stack - page(), page() + byte_count); }

void begin(Context &context, void *stack, size_t byte_count, void (*entry)()) {
  context.low = stack;
  context.byte_count = byte_count;
  context.sanitizer_stack = nullptr;
#if defined(GPU_HOST_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(stack, byte_count);
#endif
#if defined(GPU_HOST_TSAN)
  if (context.sanitizer_fiber) __tsan_destroy_fiber(context.sanitizer_fiber);
  context.sanitizer_fiber = __tsan_create_fiber(0);
#endif
#if defined(GPU_HOST_UCONTEXT)
  getcontext(&context.state);
  context.state.uc_stack.ss_sp = stack;
  context.state.uc_stack.ss_size = byte_count;
  context.state.uc_link = nullptr;  // an entry never returns
  makecontext(&context.state, entry, 0);
#elif defined(__x86_64__)
  // Six registers, the address to return to, and a word so that the entry finds the stack as after a call.
  uintptr_t *words = (uintptr_t *)((uintptr_t)stack + byte_count) - 8;
  for (int i = 0; i < 8; i++) words[i] = 0;
  words[6] = (uintptr_t)entry;
  context.top = words;
#else
  uintptr_t *words = (uintptr_t *)((uintptr_t)stack + byte_count) - 20;
  for (int i = 0; i < 20; i++) words[i] = 0;
  words[11] = (uintptr_t)entry;  // x30
  context.top = words;
#endif
}

void end(Context &context) {
#if defined(GPU_HOST_TSAN)
  if (context.sanitizer_fiber) __tsan_destroy_fiber(context.sanitizer_fiber);
#endif
  context.sanitizer_fiber = nullptr;
}

void switch_stacks(Context &from, Context &to) {
#if defined(GPU_HOST_ASAN)
  __sanitizer_start_switch_fiber(&from.sanitizer_stack, to.low, to.byte_count);
#endif
#if defined(GPU_HOST_TSAN)
  if (!from.sanitizer_fiber) from.sanitizer_fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.sanitizer_fiber, 0);
#endif
#if defined(GPU_HOST_UCONTEXT)
  swapcontext(&from.state, &to.state);
#else
  gpu_host_switch(&from.top, to.top);
#endif
#if defined(GPU_HOST_ASAN)
  __sanitizer_finish_switch_fiber(from.sanitizer_stack, nullptr, nullptr);
#endif
}

void arrived(Context &from) {
#if defined(GPU_HOST_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &from.low, &from.byte_count);
#else
  (void)from;
#endif
}

}  // namespace gpu_host
