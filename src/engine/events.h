// events.h — the bounded queue through which events leave the engine's thread.
#pragma once

#include <tunnel/core.h>

#include <mutex>
#include <vector>

#include "base/base.h"

namespace tunnel::engine {

// Written by the engine's thread, read by any. When nobody pulls, the newest events are lost and
// counted; an event OVERFLOW stands where they are missing.
class EventQueue {
 public:
  static constexpr std::size_t kCapacity = 1024;
  static constexpr std::size_t kMemoryBytes = kCapacity * sizeof(tunnel_event);

  explicit EventQueue(base::WaitFlag flag);

  void push(const tunnel_event& event) noexcept;
  // The oldest event; false when there is none.
  bool pop(tunnel_event& event) noexcept;
  // Readable while events wait.
  std::int64_t handle() const noexcept { return flag_.handle(); }

 private:
  void append(const tunnel_event& event) noexcept;
  tunnel_event overflow() noexcept;

  std::mutex mutex_;
  std::vector<tunnel_event> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::int64_t lost_ = 0;         // since the last OVERFLOW
  std::uint64_t lost_at_ns_ = 0;  // when the newest of them happened
  base::WaitFlag flag_;
};

}  // namespace tunnel::engine
