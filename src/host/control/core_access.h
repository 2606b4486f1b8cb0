// core_access.h — work on a core from another thread: it is posted to the engine's thread and
// waited for. Each piece of work is small, so that packets never wait for a long list.
#pragma once

#include <tunnel/engine.h>

#include <functional>
#include <memory>
#include <mutex>

namespace tunnel::host {

class CoreAccess {
 public:
  // Runs on the engine's thread. Returns 0 or an errno.
  using Work = std::function<int(tunnel_core*)>;

  explicit CoreAccess(tunnel_engine* engine) : engine_(engine) {}

  // Runs `work` and returns what it returned, or an errno of its own: ENODEV without an engine,
  // ETIMEDOUT when it did not begin within five seconds. When this returns the work has ended or
  // never begins, so it may refer to what the caller owns.
  int run(Work work);

  // Port of the transport, 0 = unknown.
  std::uint16_t port();
  // Both wait for the engine. 0 or an errno; the port stays as it was when the new one is taken.
  // Port 0 (any) and mark 0 (none) are fine for a transport that knows neither.
  int set_port(std::uint16_t port);
  int set_mark(std::uint32_t mark);

  // What the engine counted; all zero without an engine.
  tunnel_engine_counters engine_counters();

  // Lets go of the engine, whose run() must have ended. When it returns, no call into the engine
  // is under way, and none follows.
  void detach();

 private:
  class Ticket;

  static void run_ticket(void* context, tunnel_core* core);

  std::mutex mutex_;  // guards what follows, and is held in calls into the engine
  tunnel_engine* engine_;
  std::shared_ptr<Ticket> waiting_;
};

}  // namespace tunnel::host
