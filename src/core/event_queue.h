// event_queue.h — bounded queue of events that the caller pulls. Losing events is an event itself.
#pragma once

#include <tunnel/core.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace tunnel::core {

class EventQueue {
 public:
  void push(const tunnel_event& event) noexcept {
    if (count_ == kCapacity) {
      if (lost_++ == 0) lost_since_ = event.mono_ns;
      return;
    }
    events_[(first_ + count_) % kCapacity] = event;
    ++count_;
  }

  // The oldest; after the last one that fitted, how many did not.
  std::optional<tunnel_event> pop() noexcept {
    if (count_ == 0) return overflow();
    const auto event = events_[first_];
    first_ = (first_ + 1) % kCapacity;
    --count_;
    return event;
  }

 private:
  static constexpr std::size_t kCapacity = 256;

  std::optional<tunnel_event> overflow() noexcept {
    if (lost_ == 0) return std::nullopt;
    tunnel_event event{};
    event.size = sizeof event;
    event.kind = TUNNEL_EVENT_OVERFLOW;
    event.value = static_cast<std::int64_t>(std::exchange(lost_, 0));
    event.mono_ns = lost_since_;
    return event;
  }

  std::array<tunnel_event, kCapacity> events_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_since_ = 0;
};

}  // namespace tunnel::core
