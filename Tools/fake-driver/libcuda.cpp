// A libcuda.so.1 without a card: each stream is a thread, device memory is host memory, kernels are the ones that
// the emulated device runs. The prototypes are NVIDIA's own (cuda.h), so that the compiler checks them, and the program
// finds it as it finds the real one.
//
// It is stricter than the real driver: calls without a context are refused, as are launches beyond what cards take; device
// memory begins as ones, and pageable memory is read when a copy is submitted, pinned memory when it runs.
//
// FAKE_DRIVER, words separated by commas, makes it worse: version=11080, init=100, memory=BYTES, pin=BYTES (the largest
// block that can be pinned), no-waits, broken-compiler, lose=N (the N-th launch ends the context), slow-start.
#include <cuda.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gpu_emulation.h"

// --- What is set from outside ---------------------------------------------------------------------

/// The value of a word, "1" where it has none, null where it is missing.
static const std::string *setting(const char *name) {
  static const std::map<std::string, std::string> settings = [] {
    std::map<std::string, std::string> found;
    std::string all = getenv("FAKE_DRIVER") ? getenv("FAKE_DRIVER") : "";
    for (size_t from = 0; from < all.size();) {
      size_t end = std::min(all.find(',', from), all.size());
      std::string word = all.substr(from, end - from);
      size_t equals = word.find('=');
      found[word.substr(0, equals)] = equals == word.npos ? "1" : word.substr(equals + 1);
      from = end + 1;
    }
    return found;
  }();
  auto it = settings.find(name);
  return it == settings.end() ? nullptr : &it->second;
}

static long long number(const char *name, long long otherwise) {
  auto text = setting(name);
  return text ? atoll(text->c_str()) : otherwise;
}

// --- State ----------------------------------------------------------------------------------------

/// The error that has ended the context; 0 while there is none.
static std::atomic<int> lost{0};
static thread_local CUcontext current = nullptr;
static CUcontext const the_context = (CUcontext)0xC0;

#define ENTER                                        \
  if (current != the_context) return CUDA_ERROR_INVALID_CONTEXT; \
  if (int code = lost) return (CUresult)code

struct CUevent_st {
  std::mutex mutex;
  long recorded = 0, reached = 0;
  double milliseconds = 0;
};

struct CUstream_st {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> work;
  bool runs = false, ends = false;
  std::thread thread{[this] { run(); }};

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return ends || !work.empty(); });
      if (work.empty()) return;
      auto next = std::move(work.front());
      work.pop_front();
      runs = true;
      lock.unlock();
      if (!lost) next();
      lock.lock();
      runs = false;
      changed.notify_all();
    }
  }

  /// As a real stream it takes about a thousand operations; then the caller waits.
  CUresult submit(std::function<void()> operation) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return work.size() < 1000; });
    work.push_back(std::move(operation));
    changed.notify_all();
    return CUDA_SUCCESS;
  }

  void drain() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return work.empty() && !runs; });
  }
};

struct Function {
  int kernel;
  size_t argument_bytes;
};

static std::mutex mutex;
static std::vector<CUstream> streams;
static std::map<char *, size_t> blocks, pinned_blocks;
static size_t used_bytes = 0;

static size_t memory_bytes() { return (size_t)number("memory", 4LL << 30); }

static CUresult drain_all() {
  std::vector<CUstream> all;
  {
    std::lock_guard lock(mutex);
    all = streams;
  }
  for (auto stream : all) stream->drain();
  return (CUresult)lost.load();
}

static bool is_pinned(const void *address, size_t bytes) {
  std::lock_guard lock(mutex);
  auto after = pinned_blocks.upper_bound((char *)address);
  if (after == pinned_blocks.begin()) return false;
  auto block = std::prev(after);
  return (char *)address + bytes <= block->first + block->second;
}

static CUresult pin(char *base, size_t bytes) {
  std::lock_guard lock(mutex);
  if (pinned_blocks.count(base)) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  pinned_blocks[base] = bytes;
  return CUDA_SUCCESS;
}

static bool can_pin(size_t bytes) { return (long long)bytes <= number("pin", 1LL << 40); }

static CUresult copy(CUstream stream, void *target, const void *source, size_t bytes) {
  return stream->submit([=] { memcpy(target, source, bytes); });
}

/// Waits, or gives up where the context ends.
static void until(std::function<bool()> holds) {
  while (!holds() && !lost) std::this_thread::yield();
}

// --- The driver and its device --------------------------------------------------------------------

extern "C" {

CUresult cuInit(unsigned) { return (CUresult)number("init", 0); }

CUresult cuDriverGetVersion(int *version) {
  *version = (int)number("version", 12040);
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult code, const char **name) {
  switch (code) {
    case CUDA_ERROR_OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
    case CUDA_ERROR_NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
    case CUDA_ERROR_INVALID_PTX: *name = "CUDA_ERROR_INVALID_PTX"; break;
    case CUDA_ERROR_ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
    case CUDA_ERROR_UNKNOWN: *name = "CUDA_ERROR_UNKNOWN"; break;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult code, const char **text) {
  *text = "says the fake driver";
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) {
  *count = 1;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int index) {
  *device = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  strncpy(name, "Fake RTX 4090", (size_t)length);
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) {
  *bytes = memory_bytes();
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 128; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = 8; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = 9; break;
    default: *value = 0;
  }
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  *context = the_context;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }

CUresult cuCtxSetCurrent(CUcontext context) {
  current = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize(void) {
  ENTER;
  return drain_all();
}

// --- Memory ---------------------------------------------------------------------------------------

CUresult cuMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
  ENTER;
  std::lock_guard lock(mutex);
  *total_bytes = memory_bytes();
  *free_bytes = memory_bytes() - used_bytes;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr *address, size_t bytes) {
  ENTER;
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  std::lock_guard lock(mutex);
  if (bytes > memory_bytes() - used_bytes) return CUDA_ERROR_OUT_OF_MEMORY;
  auto base = (char *)aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(base, 0xFF, bytes);
  used_bytes += bytes;
  blocks[base] = bytes;
  *address = (CUdeviceptr)base;
  return CUDA_SUCCESS;
}

CUresult cuMemFree(CUdeviceptr address) {
  ENTER;
  drain_all();
  std::lock_guard lock(mutex);
  auto block = blocks.find((char *)address);
  if (block == blocks.end()) return CUDA_ERROR_INVALID_VALUE;
  used_bytes -= block->second;
  free(block->first);
  blocks.erase(block);
  return CUDA_SUCCESS;
}

CUresult cuMemHostAlloc(void **base, size_t bytes, unsigned flags) {
  ENTER;
  if (flags != (CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP)) return CUDA_ERROR_INVALID_VALUE;
  if (!can_pin(bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  *base = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return pin((char *)*base, bytes);
}

CUresult cuMemFreeHost(void *base) {
  ENTER;
  drain_all();
  std::lock_guard lock(mutex);
  pinned_blocks.erase((char *)base);
  free(base);
  return CUDA_SUCCESS;
}

CUresult cuMemHostGetDevicePointer(CUdeviceptr *address, void *base, unsigned) {
  ENTER;
  if (!is_pinned(base, 1)) return CUDA_ERROR_INVALID_VALUE;
  *address = (CUdeviceptr)base;
  return CUDA_SUCCESS;
}

CUresult cuMemHostRegister(void *base, size_t bytes, unsigned flags) {
  ENTER;
  if (flags != (CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP)) return CUDA_ERROR_INVALID_VALUE;
  if (!can_pin(bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  return pin((char *)base, bytes);
}

CUresult cuMemHostUnregister(void *base) {
  ENTER;
  drain_all();
  std::lock_guard lock(mutex);
  return pinned_blocks.erase((char *)base) ? CUDA_SUCCESS : CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
}

// --- Streams --------------------------------------------------------------------------------------

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  ENTER;
  if (flags != CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
  *stream = new CUstream_st;
  std::lock_guard lock(mutex);
  streams.push_back(*stream);
  if (setting("slow-start")) {
    (*stream)->submit([] { std::this_thread::sleep_for(std::chrono::milliseconds(300)); });
  }
  return CUDA_SUCCESS;
}

// Returns at once; what is in the stream is done first.
CUresult cuStreamDestroy(CUstream stream) {
  ENTER;
  std::lock_guard lock(mutex);
  std::erase(streams, stream);
  std::thread([stream] {
    {
      std::lock_guard lock(stream->mutex);
      stream->ends = true;
      stream->changed.notify_all();
    }
    stream->thread.join();
    delete stream;
  }).detach();
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream stream) {
  ENTER;
  stream->drain();
  return (CUresult)lost.load();
}

CUresult cuStreamQuery(CUstream stream) {
  ENTER;
  std::lock_guard lock(stream->mutex);
  return stream->work.empty() && !stream->runs ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

CUresult cuMemcpyHtoDAsync(CUdeviceptr target, const void *source, size_t bytes, CUstream stream) {
  ENTER;
  if (is_pinned(source, bytes)) return copy(stream, (void *)target, source, bytes);
  auto first = (const char *)source;
  auto staged = std::make_shared<std::vector<char>>(first, first + bytes);
  return stream->submit([=] { memcpy((void *)target, staged->data(), bytes); });
}

CUresult cuMemcpyDtoHAsync(void *target, CUdeviceptr source, size_t bytes, CUstream stream) {
  ENTER;
  return copy(stream, target, (void *)source, bytes);
}

CUresult cuMemcpyDtoDAsync(CUdeviceptr target, CUdeviceptr source, size_t bytes, CUstream stream) {
  ENTER;
  return copy(stream, (void *)target, (void *)source, bytes);
}

CUresult cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t bytes, CUstream stream) {
  ENTER;
  return stream->submit([=] { memset((void *)target, value, bytes); });
}

CUresult cuStreamWaitValue32(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags) {
  ENTER;
  if (setting("no-waits") || flags != CU_STREAM_WAIT_VALUE_GEQ) return CUDA_ERROR_NOT_SUPPORTED;
  return stream->submit([=] {
    until([=] { return (int32_t)(__atomic_load_n((uint32_t *)address, __ATOMIC_ACQUIRE) - value) >= 0; });
  });
}

CUresult cuStreamWriteValue32(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned) {
  ENTER;
  if (setting("no-waits")) return CUDA_ERROR_NOT_SUPPORTED;
  return stream->submit([=] { __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELEASE); });
}

// --- Events ---------------------------------------------------------------------------------------

CUresult cuEventCreate(CUevent *event, unsigned) {
  ENTER;
  *event = new CUevent_st;
  return CUDA_SUCCESS;
}

// Streams may still name it: it is left to the end of the process.
CUresult cuEventDestroy(CUevent) {
  ENTER;
  return CUDA_SUCCESS;
}

static long reached(CUevent event) {
  std::lock_guard lock(event->mutex);
  return event->reached;
}

static long recorded(CUevent event) {
  std::lock_guard lock(event->mutex);
  return event->recorded;
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  ENTER;
  long now;
  {
    std::lock_guard lock(event->mutex);
    now = ++event->recorded;
  }
  return stream->submit([=] {
    auto time = std::chrono::steady_clock::now().time_since_epoch();
    std::lock_guard lock(event->mutex);
    event->milliseconds = std::chrono::duration<double, std::milli>(time).count();
    event->reached = now;
  });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  ENTER;
  long now = recorded(event);
  return stream->submit([=] { until([=] { return reached(event) >= now; }); });
}

CUresult cuEventQuery(CUevent event) {
  ENTER;
  return reached(event) >= recorded(event) ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

CUresult cuEventSynchronize(CUevent event) {
  ENTER;
  until([=] { return reached(event) >= recorded(event); });
  return (CUresult)lost.load();
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent first, CUevent second) {
  ENTER;
  for (auto event : {first, second}) {
    if (recorded(event) == 0) return CUDA_ERROR_INVALID_HANDLE;
    if (reached(event) < recorded(event)) return CUDA_ERROR_NOT_READY;
  }
  *milliseconds = (float)(second->milliseconds - first->milliseconds);
  return CUDA_SUCCESS;
}

// --- Kernels --------------------------------------------------------------------------------------

CUresult cuModuleLoadDataEx(CUmodule *module, const void *text, unsigned count, CUjit_option *options,
                            void **values) {
  ENTER;
  if (setting("broken-compiler")) {
    for (unsigned i = 0; i + 1 < count; i++) {
      if (options[i] != CU_JIT_ERROR_LOG_BUFFER) continue;
      if (options[i + 1] != CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) return CUDA_ERROR_INVALID_VALUE;
      strncpy((char *)values[i], "ptxas fatal: line 7 of the text", (size_t)values[i + 1]);
    }
    return CUDA_ERROR_INVALID_PTX;
  }
  *module = (CUmodule) new std::string((const char *)text);
  return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule module) {
  ENTER;
  delete (std::string *)module;
  return CUDA_SUCCESS;
}

// The text says how many bytes the kernel takes: `.param .align 8 .b8 name_param_0[24]`.
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  ENTER;
  auto &text = *(std::string *)module;
  size_t entry = text.find(std::string(".entry ") + name + "(");
  if (entry == text.npos) return CUDA_ERROR_NOT_FOUND;
  size_t bytes = (size_t)atoi(text.c_str() + text.find('[', entry) + 1);
  int kernel = gpu_emulated_kernel(name);
  if (kernel < 0 || bytes == 0) return CUDA_ERROR_NOT_FOUND;
  *function = (CUfunction) new Function{kernel, bytes};
  return CUDA_SUCCESS;
}

CUresult cuFuncLoad(CUfunction) {
  ENTER;
  return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute attribute, int) {
  ENTER;
  return attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream, void **arguments,
                        void **extra) {
  ENTER;
  if (!grid_x || !grid_y || !grid_z || grid_y > 65535 || grid_z > 65535 || grid_x > 0x7FFFFFFF ||
      !block_x || !block_y || block_z != 1 || block_x * block_y > 1024 || shared_bytes > 99 << 10 || extra) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  static std::atomic<long long> launches{0};
  bool loses = ++launches == number("lose", -1);
  auto function = *(Function *)handle;
  auto first = (const char *)arguments[0];
  auto bytes = std::make_shared<std::vector<char>>(first, first + function.argument_bytes);
  return stream->submit([=] {
    uint32_t grid[3] = {grid_x, grid_y, grid_z}, block[3] = {block_x, block_y, block_z};
    if (loses) {
      lost = CUDA_ERROR_ILLEGAL_ADDRESS;
    } else if (gpu_emulate(function.kernel, grid, block, shared_bytes, bytes->data(), 0) != 0) {
      lost = CUDA_ERROR_LAUNCH_FAILED;
    }
  });
}
}
