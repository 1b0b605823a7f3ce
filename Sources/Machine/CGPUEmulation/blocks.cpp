#include "blocks.h"

#include "stacks.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace gpu_host {

thread_local constinit Place thread, block, block_size, grid_size;

namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr size_t stack_bytes = 512 << 10;
#else
constexpr size_t stack_bytes = 128 << 10;
#endif

constexpr unsigned most_threads = 1024, most_masks = 8;

struct Fiber {
  Context context;
  void *stack = nullptr;
  bool begun = false;
  Place thread;
  unsigned index;
  /// The next of those that wait at the same barrier.
  Fiber *next = nullptr;
};

/// Threads that have arrived somewhere, and where.
struct Gathering {
  unsigned arrived = 0;
  int line = 0;
  Fiber *waiting = nullptr;
};

/// Where the lanes of a mask of a warp meet.
struct WarpGathering {
  uint32_t mask = 0, arrived = 0;
  int line = 0;
  unsigned round = 0;
  Fiber *waiting = nullptr;
  /// Of this round and the one before, which lanes may still be reading.
  uint32_t words[2][LANES][EXCHANGED_WORDS];
};

struct Warp {
  uint32_t alive = 0;
  unsigned masks = 0;
  WarpGathering *gatherings = nullptr;
};

/// The fibers of a host thread and the block that they run.
struct Team {
  Context host;
  std::vector<std::unique_ptr<Fiber>> fibers;
  // Plain arrays: this runs unoptimised in debug builds, where every call costs.
  Fiber *idle[most_threads + 1];
  unsigned idle_count = 0;
  /// A ring of those that can go on, the first to go on at `ready_from`.
  Fiber *ready[most_threads];
  unsigned ready_from = 0, ready_count = 0;
  Fiber *current = nullptr;

  const Launch *launch = nullptr;
  std::vector<uint32_t> thread_order, block_order;
  Warp warps[most_threads / LANES];
  unsigned warp_count = 0, threads = 0, unstarted = 0, alive = 0;
  Gathering whole;
  unsigned sums[2] = {0, 0}, round = 0;
  std::unique_ptr<unsigned char[]> shared;
  size_t shared_bytes = 0;
  uint64_t random = 0;
  char failure[200] = "";

  ~Team() {
    for (auto &fiber : fibers) {
      end(fiber->context);
      free_stack(fiber->stack, stack_bytes);
    }
    for (Warp &warp : warps) delete[] warp.gatherings;
  }

  uint64_t draw() {  // splitmix64
    uint64_t z = random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  Fiber *idle_fiber();
  [[gnu::always_inline]] Fiber *next_ready();
  [[gnu::always_inline]] Fiber *next_fiber();
  [[gnu::always_inline]] void go_on(Context &from, Fiber *to);
  void describe_waiting();
  [[noreturn]] void fail();
  [[noreturn]] void serve();
  [[gnu::always_inline]] void release(Fiber *waiting);
  [[gnu::always_inline]] void wait(Fiber *&list);
  void thread_ended();
  void shuffle(std::vector<uint32_t> &order, size_t count);
  bool run_block();
};

thread_local Team team;
/// The context that was left last, for the fiber that comes to life.
thread_local constinit Context *left = nullptr;

void fiber_main() {
  arrived(*left);
  team.serve();
}

Fiber *Team::idle_fiber() {
  if (!idle_count) {
    auto fiber = std::make_unique<Fiber>();
    fiber->stack = allocate_stack(stack_bytes);
    if (!fiber->stack) {
      fprintf(stderr, "no memory for the stack of an emulated thread\n");
      abort();
    }
    idle[idle_count++] = fiber.get();
    fibers.push_back(std::move(fiber));
  }
  Fiber *fiber = idle[--idle_count];
  if (!fiber->begun) begin(fiber->context, fiber->stack, stack_bytes, fiber_main);
  fiber->begun = true;
  return fiber;
}

Fiber *Team::next_ready() {
  if (!ready_count) return nullptr;
  if (launch->seed) {
    unsigned other = (ready_from + (unsigned)(draw() % ready_count)) % most_threads;
    Fiber *drawn = ready[other];
    ready[other] = ready[ready_from], ready[ready_from] = drawn;
  }
  Fiber *fiber = ready[ready_from];
  ready_from = (ready_from + 1) % most_threads, ready_count--;
  return fiber;
}

/// Who goes on when a thread has to wait; null where nobody can.
Fiber *Team::next_fiber() {
  bool fresh = unstarted < threads && (!ready_count || (launch->seed && draw() % 2));
  return fresh ? idle_fiber() : next_ready();
}

void Team::go_on(Context &from, Fiber *to) {
  current = to;
  left = &from;
  switch_stacks(from, to->context);
}

/// Where threads stand that nobody will wake.
void Team::describe_waiting() {
  size_t length = 0;
  auto add = [&](const char *format, auto... values) {
    if (length < sizeof failure)
      length += (size_t)snprintf(failure + length, sizeof failure - length, format, values...);
  };
  add("%s", "threads of a block wait for ever:");
  if (whole.arrived) add(" %u of %u in __syncthreads (line %d)", whole.arrived, alive, whole.line);
  for (unsigned w = 0; w < warp_count; w++)
    for (unsigned i = 0; i < warps[w].masks; i++)
      if (const WarpGathering &gathering = warps[w].gatherings[i]; gathering.arrived)
        add(" lanes %#x of %#x of warp %u (line %d)", gathering.arrived, gathering.mask & warps[w].alive, w,
            gathering.line);
}

/// Leaves the block: its fibers stand where they stand and are begun anew later.
void Team::fail() {
  if (!failure[0]) describe_waiting();
  switch_stacks(current->context, host);
  abort();
}

/// The life of a fiber: threads, one after another.
void Team::serve() {
  for (;;) {
    Fiber *self = current;
    while (unstarted < threads) {
      unsigned index = thread_order[unstarted++];
      const Place &size = launch->block;
      self->index = index;
      self->thread = {index % size.x, index / size.x % size.y, index / size.x / size.y};
      gpu_host::thread = self->thread;
      launch->entry(launch->arguments);
      thread_ended();
    }
    Fiber *next = next_ready();
    if (!next && alive) fail();
    idle[idle_count++] = self;
    if (next)
      go_on(self->context, next);
    else
      switch_stacks(self->context, host);
  }
}

void Team::release(Fiber *waiting) {
  // The list has the last arrival first.
  unsigned count = 0;
  for (Fiber *fiber = waiting; fiber; fiber = fiber->next) count++;
  ready_count += count;
  for (unsigned at = ready_from + ready_count; waiting; waiting = waiting->next)
    ready[--at % most_threads] = waiting;
}

void Team::wait(Fiber *&list) {
  Fiber *self = current;
  self->next = list;
  list = self;
  Fiber *next = next_fiber();
  if (!next) fail();
  go_on(self->context, next);
  gpu_host::thread = self->thread;
}

[[gnu::always_inline]] inline bool complete(const WarpGathering &gathering, uint32_t alive) {
  return gathering.arrived && !(gathering.mask & alive & ~gathering.arrived);
}

/// Those who waited for the thread only need to wait no longer.
void Team::thread_ended() {
  Warp &warp = warps[current->index / LANES];
  warp.alive &= ~(1u << current->index % LANES);
  for (unsigned i = 0; i < warp.masks; i++) {
    WarpGathering &gathering = warp.gatherings[i];
    if (!complete(gathering, warp.alive)) continue;
    gathering.arrived = 0, gathering.round++;
    Fiber *waiting = gathering.waiting;
    gathering.waiting = nullptr;
    release(waiting);
  }
  alive--;
  if (alive && whole.arrived == alive) {
    whole.arrived = 0, round++;
    Fiber *waiting = whole.waiting;
    whole.waiting = nullptr;
    release(waiting);
  }
}

void Team::shuffle(std::vector<uint32_t> &order, size_t count) {
  order.resize(count);
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  if (launch->seed)
    for (size_t i = count; i > 1; i--) std::swap(order[i - 1], order[draw() % i]);
}

bool Team::run_block() {
  unstarted = 0, alive = threads;
  whole = Gathering{};
  round = 0;
  if (launch->seed) shuffle(thread_order, threads);
  for (unsigned i = 0; i < warp_count; i++) {
    unsigned lanes = threads - i * LANES;
    warps[i].alive = lanes >= LANES ? ~0u : (1u << lanes) - 1;
    warps[i].masks = 0;
  }
  if (shared_bytes) memset(shared.get(), 0xff, shared_bytes);
  go_on(host, idle_fiber());
  if (!failure[0]) return true;
  ready_count = idle_count = 0;
  for (auto &fiber : fibers) {
    fiber->begun = false;
    idle[idle_count++] = fiber.get();
  }
  return false;
}

}  // namespace

const char *run(const Launch &launch) {
  Team &own = team;
  size_t threads = (size_t)launch.block.x * launch.block.y * launch.block.z;
  size_t blocks = (size_t)launch.grid.x * launch.grid.y * launch.grid.z;
  own.failure[0] = 0;
  own.launch = &launch;
  own.threads = (unsigned)threads;
  own.random = launch.seed;
  if (threads == 0 || threads > most_threads) return "a block has 1 to 1024 threads";
  own.warp_count = (unsigned)((threads + LANES - 1) / LANES);
  own.shuffle(own.thread_order, threads);
  if (launch.seed) own.shuffle(own.block_order, blocks);
  if (own.shared_bytes != launch.shared_bytes) {
    own.shared = std::make_unique<unsigned char[]>(launch.shared_bytes);
    own.shared_bytes = launch.shared_bytes;
  }
  block_size = launch.block;
  grid_size = launch.grid;
  for (size_t i = 0; i < blocks; i++) {
    size_t at = launch.seed ? own.block_order[i] : i;
    block = {(unsigned)(at % grid_size.x), (unsigned)(at / grid_size.x % grid_size.y),
             (unsigned)(at / grid_size.x / grid_size.y)};
    if (!own.run_block()) return own.failure;
  }
  return nullptr;
}

void *dynamic_shared() { return team.shared.get(); }

void wait_for_block(int line) { sum_over_block(0, line); }

unsigned sum_over_block(unsigned value, int line) {
  Team &own = team;
  Gathering &whole = own.whole;
  unsigned round = own.round;
  if (whole.arrived == 0) {
    whole.line = line;
    own.sums[round % 2] = 0;
  } else if (whole.line != line) {
    snprintf(own.failure, sizeof own.failure,
             "threads of a block wait at different __syncthreads: lines %d and %d", whole.line, line);
    own.fail();
  }
  own.sums[round % 2] += value;
  if (++whole.arrived < own.alive) {
    own.wait(whole.waiting);
  } else {
    whole.arrived = 0, own.round++;
    Fiber *waiting = whole.waiting;
    whole.waiting = nullptr;
    own.release(waiting);
  }
  return own.sums[round % 2];
}

Exchanged exchange(uint32_t mask, const uint32_t *words, int count, int line) {
  Team &own = team;
  unsigned lane = own.current->index % LANES, place = 0;
  Warp &warp = own.warps[own.current->index / LANES];
  if (!warp.gatherings) warp.gatherings = new WarpGathering[most_masks];
  while (place < warp.masks && warp.gatherings[place].mask != mask) place++;
  if (!(mask >> lane & 1) || place == most_masks) {
    snprintf(own.failure, sizeof own.failure, "line %d: lane %u exchanges with the lanes %#x", line, lane,
             mask);
    own.fail();
  }
  WarpGathering &gathering = warp.gatherings[place];
  if (place == warp.masks) {
    warp.masks++;
    gathering.mask = mask, gathering.arrived = 0, gathering.round = 0, gathering.waiting = nullptr;
  }
  auto &brought = gathering.words[gathering.round % 2];
  if (!gathering.arrived) {
    gathering.line = line;
    if ((mask & warp.alive) != ~0u) memset(brought, 0xff, sizeof brought);
  } else if (gathering.line != line) {
    snprintf(own.failure, sizeof own.failure,
             "lanes of a warp exchange at different places: lines %d and %d", gathering.line, line);
    own.fail();
  }
  for (int i = 0; i < count; i++) brought[lane][i] = words[i];
  gathering.arrived |= 1u << lane;
  if (complete(gathering, warp.alive)) {
    gathering.arrived = 0, gathering.round++;
    Fiber *waiting = gathering.waiting;
    gathering.waiting = nullptr;
    own.release(waiting);
  } else {
    own.wait(gathering.waiting);
  }
  return brought;
}

}  // namespace gpu_host
