#include "host/control/core_access.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::chrono::seconds kPatience{5};

}  // namespace

// One piece of work. The engine's task owns a share of it, so that the task may come late.
class CoreAccess::Ticket {
 public:
  explicit Ticket(Work work) : work_(std::move(work)) {}

  // On the engine's thread; `core` is null when the engine was destroyed.
  void run(tunnel_core* core) noexcept {
    if (core == nullptr) return abandon(ENODEV);
    {
      const std::lock_guard lock(mutex_);
      if (state_ != State::waiting) return;
      state_ = State::running;
    }
    int error = 0;
    const std::int32_t status = guarded([&]() -> std::int32_t {
      error = work_(core);
      return TUNNEL_OK;
    });
    finish(status == TUNNEL_OK ? error : ENOMEM);
  }

  // Work that has not begun never will.
  void abandon(int error) noexcept {
    const std::lock_guard lock(mutex_);
    if (state_ != State::waiting) return;
    error_ = error;
    state_ = State::done;
    done_.notify_all();
  }

  int wait() {
    std::unique_lock lock(mutex_);
    const bool began = done_.wait_for(lock, kPatience, [&] { return state_ != State::waiting; });
    if (!began) {
      state_ = State::done;
      return ETIMEDOUT;
    }
    done_.wait(lock, [&] { return state_ == State::done; });
    return error_;
  }

 private:
  enum class State { waiting, running, done };

  void finish(int error) noexcept {
    const std::lock_guard lock(mutex_);
    error_ = error;
    state_ = State::done;
    done_.notify_all();
  }

  const Work work_;  // used while `running`
  std::mutex mutex_;
  std::condition_variable done_;
  State state_ = State::waiting;
  int error_ = 0;
};

void CoreAccess::run_ticket(void* context, tunnel_core* core) {
  const std::unique_ptr<std::shared_ptr<Ticket>> ticket(
      static_cast<std::shared_ptr<Ticket>*>(context));
  (*ticket)->run(core);
}

int CoreAccess::run(Work work) {
  const auto ticket = std::make_shared<Ticket>(std::move(work));
  {
    const std::lock_guard lock(mutex_);
    if (engine_ == nullptr) return ENODEV;
    auto share = std::make_unique<std::shared_ptr<Ticket>>(ticket);
    if (tunnel_engine_post(engine_, run_ticket, share.get()) != TUNNEL_OK) return ENODEV;
    (void)share.release();  // the task's now
    waiting_ = ticket;
  }
  const int error = ticket->wait();
  const std::lock_guard lock(mutex_);
  waiting_ = nullptr;
  return error;
}

std::uint16_t CoreAccess::port() {
  const std::lock_guard lock(mutex_);
  const std::int32_t port = engine_ == nullptr ? 0 : tunnel_engine_port(engine_);
  return static_cast<std::uint16_t>(port > 0 ? port : 0);
}

// The engine takes what it is told in order, so when the work after it ran the port was moved or
// was not. Why not it says in an event; here a port that is taken is what is left to guess.
int CoreAccess::set_port(std::uint16_t port) {
  {
    const std::lock_guard lock(mutex_);
    if (engine_ == nullptr) return ENODEV;
    const std::int32_t status = tunnel_engine_set_port(engine_, port);
    if (status == TUNNEL_ERR_UNSUPPORTED && port == 0) return 0;
    if (status != TUNNEL_OK) return errno_of(status);
  }
  const int error = run([](tunnel_core*) { return 0; });
  if (error != 0) return error;
  return port == 0 || this->port() == port ? 0 : EADDRINUSE;
}

int CoreAccess::set_mark(std::uint32_t mark) {
  {
    const std::lock_guard lock(mutex_);
    if (engine_ == nullptr) return ENODEV;
    const std::int32_t status = tunnel_engine_set_mark(engine_, mark);
    if (status == TUNNEL_ERR_UNSUPPORTED && mark == 0) return 0;
    if (status != TUNNEL_OK) return errno_of(status);
  }
  return run([](tunnel_core*) { return 0; });
}

tunnel_engine_counters CoreAccess::engine_counters() {
  const std::lock_guard lock(mutex_);
  tunnel_engine_counters counters = TUNNEL_ENGINE_COUNTERS_INIT;
  if (engine_ != nullptr) (void)tunnel_engine_get_counters(engine_, &counters);
  return counters;
}

void CoreAccess::detach() {
  const std::lock_guard lock(mutex_);
  engine_ = nullptr;
  if (waiting_ != nullptr) waiting_->abandon(ENODEV);
}

}  // namespace tunnel::host
