#include "engine/waiter.h"

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <optional>
#include <utility>

#include "engine/deadline.h"
#include "engine/wake.h"

namespace tunnel::engine {

namespace {

// One thread at a time, so Asio needs no locks.
using Context = asio::io_context;
using Stream = asio::posix::basic_stream_descriptor<Context::executor_type>;

// Room for one pending wait, so that sleeping allocates nothing. When an aborted wait still sits in
// Asio's queue while the next one is asked for, that one comes from the heap.
class WaitMemory {
 public:
  void* take(std::size_t size) {
    if (taken_ || size > sizeof bytes_) return ::operator new(size);
    taken_ = true;
    return bytes_.data();
  }
  void give_back(void* memory) noexcept {
    if (memory != bytes_.data()) return ::operator delete(memory);
    taken_ = false;
  }

 private:
  alignas(std::max_align_t) std::array<std::byte, 256> bytes_;
  bool taken_ = false;
};

template <class T>
struct WaitAllocator {
  using value_type = T;

  explicit WaitAllocator(WaitMemory& wait_memory) noexcept : memory(&wait_memory) {}
  template <class U>
  WaitAllocator(const WaitAllocator<U>& other) noexcept : memory(other.memory) {}  // NOLINT

  T* allocate(std::size_t n) { return static_cast<T*>(memory->take(n * sizeof(T))); }
  void deallocate(T* pointer, std::size_t) noexcept { memory->give_back(pointer); }
  template <class U>
  bool operator==(const WaitAllocator<U>& other) const noexcept {
    return memory == other.memory;
  }

  WaitMemory* memory;
};

// One direction of a handle: waiting, or not asked for.
struct Wait {
  std::uint32_t generation = 0;  // of the handle; what was asked of an earlier one says nothing
  bool pending = false;
  bool fired = false;    // since it was last asked for
  bool refused = false;  // the system cannot wait for this kind of descriptor
  WaitMemory memory;
};

// What Asio calls when a wait ends.
struct Fired {
  using allocator_type = WaitAllocator<void>;

  allocator_type get_allocator() const noexcept { return allocator_type(wait->memory); }
  void operator()(const asio::error_code& error) const noexcept {
    if (generation != wait->generation) return;
    wait->pending = false;
    wait->fired = true;
    wait->refused = static_cast<bool>(error);
    *heard = true;
  }

  Wait* wait;
  std::uint32_t generation;
  bool* heard;
};

// A borrowed handle. Lives as long as the waiter, so that Asio's pointers to it stay good; the
// handle it stands for comes and goes.
class Watch {
 public:
  Watch(Context& context, bool& heard) : stream_(context), heard_(heard) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { release(); }

  bool used() const noexcept { return stream_.is_open(); }
  bool waits() const noexcept { return readable_.pending; }
  bool fired() const noexcept { return readable_.fired || writable_.fired; }
  bool stands_for(std::int64_t handle) noexcept {
    return used() && stream_.native_handle() == handle;
  }

  std::int32_t take(std::int64_t handle) {
    asio::error_code error;
    stream_.assign(static_cast<int>(handle), error);
    return error ? TUNNEL_ERR_SYSTEM : TUNNEL_OK;
  }

  void release() noexcept {
    if (used()) stream_.release();
    for (Wait* wait : {&readable_, &writable_}) {
      ++wait->generation;
      wait->pending = wait->fired = wait->refused = false;
    }
    was_writable_ = false;
  }

  // Once Asio has waited for writing, it hears of every sent datagram. So the handle is taken anew
  // when writing is no longer waited for.
  std::int32_t ask(std::uint32_t events) {
    if (readable_.refused || writable_.refused) return TUNNEL_ERR_SYSTEM;
    const bool writable = (events & TUNNEL_WRITABLE) != 0;
    if (was_writable_ && !writable) {
      const int handle = stream_.native_handle();
      release();
      if (const auto status = take(handle); status != TUNNEL_OK) return status;
    }
    if ((events & TUNNEL_READABLE) != 0) start(Stream::wait_read, readable_);
    if (writable) start(Stream::wait_write, writable_);
    was_writable_ = writable;
    return TUNNEL_OK;
  }

 private:
  void start(Stream::wait_type type, Wait& wait) {
    wait.fired = false;
    if (std::exchange(wait.pending, true)) return;
    stream_.async_wait(type, Fired{&wait, wait.generation, &heard_});
  }

  Stream stream_;
  bool& heard_;  // set when a wait of any watch has ended
  Wait readable_;
  Wait writable_;
  bool was_writable_ = false;
};

bool names(std::span<const tunnel_handle> handles, Watch& watch) noexcept {
  for (const auto& handle : handles) {
    if (watch.stands_for(handle.handle)) return true;
  }
  return false;
}

// The handles of one side.
struct SideWatches {
  SideWatches(Context& context, bool& heard) {
    for (auto& watch : watches) watch.emplace(context, heard);
  }

  void release_all_but(std::span<const tunnel_handle> handles) noexcept {
    for (auto& watch : watches) {
      if (watch->used() && !names(handles, *watch)) watch->release();
    }
  }

  bool fired() const noexcept {
    return std::ranges::any_of(watches, [](const auto& watch) { return watch->fired(); });
  }

  // The watch that stands for a handle, or a free one.
  Watch& find(std::int64_t handle) noexcept {
    for (auto& watch : watches) {
      if (watch->stands_for(handle)) return *watch;
    }
    for (auto& watch : watches) {
      if (!watch->used()) return *watch;
    }
    return *watches.front();  // not reached: there are as many watches as handles may be
  }

  std::array<std::optional<Watch>, Waiter::kHandlesMax> watches;
};

}  // namespace

struct Waiter::Impl {
  Impl(Wake own_wake, Deadline own_deadline)
      : wake(std::move(own_wake)), deadline(std::move(own_deadline)) {}

  SideWatches& side(Side which) noexcept { return which == Side::device ? device : transport; }

  Wake wake;
  Deadline deadline;
  Context context{ASIO_CONCURRENCY_HINT_UNSAFE};
  bool heard = false;
  SideWatches device{context, heard};
  SideWatches transport{context, heard};
  Watch woken{context, heard};
  Watch due{context, heard};
};

base::Result<std::unique_ptr<Waiter>> Waiter::create() {
  auto wake = Wake::open();
  if (!wake) return base::Error{wake.status()};
  auto deadline = Deadline::open();
  if (!deadline) return base::Error{deadline.status()};
  auto impl = std::make_unique<Impl>(std::move(*wake), std::move(*deadline));
  const auto woken = impl->woken.take(impl->wake.handle());
  const auto due = impl->due.take(impl->deadline.handle());
  if (woken != TUNNEL_OK || due != TUNNEL_OK) return base::Error{TUNNEL_ERR_SYSTEM};
  return std::unique_ptr<Waiter>(new Waiter(std::move(impl)));
}

Waiter::Waiter(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Waiter::~Waiter() = default;

std::int32_t Waiter::watch(Side side, std::span<const tunnel_handle> handles) {
  SideWatches& watches = impl_->side(side);
  watches.release_all_but(handles);
  for (const auto& handle : handles) {
    Watch& watch = watches.find(handle.handle);
    if (!watch.used()) {
      if (const auto status = watch.take(handle.handle); status != TUNNEL_OK) return status;
    }
    if (const auto status = watch.ask(handle.events); status != TUNNEL_OK) return status;
  }
  return TUNNEL_OK;
}

void Waiter::forget(Side side) noexcept {
  impl_->side(side).release_all_but({});
}

void Waiter::wait(std::uint64_t deadline_ns) {
  impl_->deadline.arm(deadline_ns);
  [[maybe_unused]] const auto woken = impl_->woken.ask(TUNNEL_READABLE);
  [[maybe_unused]] const auto due = impl_->due.ask(TUNNEL_READABLE);
  impl_->context.restart();
  // Asio also runs what was let go of, and events of which nobody wants to hear.
  impl_->heard = false;
  while (!impl_->heard && impl_->context.run_one() != 0) {
  }
  if (!impl_->woken.waits()) impl_->wake.clear();
  if (!impl_->due.waits()) impl_->deadline.clear();
}

bool Waiter::fired(Side side) const noexcept {
  return !impl_->woken.waits() || impl_->side(side).fired();
}

void Waiter::wake() const noexcept {
  impl_->wake.raise();
}

}  // namespace tunnel::engine
