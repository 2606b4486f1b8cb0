// process.h - what the demo's processes are made of: descriptors, children, memory they share.
//
// A child dies with its parent, whatever kills that one, so that nothing of the demo outlives it.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace simplevpn::demo {

// Closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int handle = -1) : handle_(handle) {}
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return handle_; }
  bool valid() const { return handle_ >= 0; }

 private:
  int handle_;
};

// A value that a child process writes and its parent reads. It begins as T{}.
template <class T>
class Shared {
 public:
  Shared() {
    void* memory =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();  // a few bytes: nothing else would work either
    value_ = new (memory) T{};
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { munmap(value_, sizeof(T)); }

  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

// A child. Killed and reaped with its owner.
class Process {
 public:
  Process() = default;
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept;
  ~Process() { end(); }

  // Runs `body` in a child whose exit status it returns.
  static Process start(const std::function<int()>& body);

  // The exit status (128 + signal for a death by signal), nothing when it still runs after that
  // time.
  std::optional<int> wait(double seconds);
  bool running();
  void end();  // SIGKILL, and gone when it returns

 private:
  pid_t pid_ = -1;
};

// For the body of a child: becomes another program. Returns only when that failed. /proc/self/exe
// as first word is ourselves.
int become(const std::vector<std::string>& command);

double now_s();  // monotonic
void pause_ms(unsigned milliseconds);

// Asks again every `interval_ms` until the answer is true or the time is up.
bool wait_until(double seconds, unsigned interval_ms, const std::function<bool()>& condition);

}  // namespace simplevpn::demo
