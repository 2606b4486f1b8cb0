// waiter.h — where the engine's thread sleeps.
//
// Waits on the handles of device and transport, on one deadline and on a wake from other threads.
// A handle is only asked for again after it fired, so a sleep costs one epoll_ctl and one
// epoll_wait. Handles are borrowed: they are never closed here, and never duplicated either, since
// a duplicate would keep the port of a socket that its transport has closed.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <memory>
#include <span>

#include "base/base.h"

namespace tunnel::engine {

class Waiter {
 public:
  static constexpr std::size_t kHandlesMax = 8;  // of one side
  enum class Side : std::uint8_t { device, transport };

  // May throw what Asio throws.
  static base::Result<std::unique_ptr<Waiter>> create();
  ~Waiter();

  // These handles and events, no others, are what the next wait() waits for on this side. At most
  // kHandlesMax. TUNNEL_ERR_SYSTEM when a handle cannot be waited for.
  std::int32_t watch(Side side, std::span<const tunnel_handle> handles);
  // Lets go of a side's handles. Must come before their owner closes or replaces them.
  void forget(Side side) noexcept;

  // Sleeps until a handle fires, until the deadline, or until wake().
  void wait(std::uint64_t deadline_ns);
  // Whether the last wait() heard of one of this side's handles, or of a wake(), which may stand
  // for anything. A handle that fired at the same time as another may be heard of by the next
  // wait().
  [[nodiscard]] bool fired(Side side) const noexcept;
  // Ends a wait(), or the next one. Any thread, also a signal handler.
  void wake() const noexcept;

 private:
  struct Impl;
  explicit Waiter(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnel::engine
