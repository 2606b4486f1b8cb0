#include "engine/events.h"

#include <utility>

namespace tunnel::engine {

EventQueue::EventQueue(base::WaitFlag flag) : ring_(kCapacity), flag_(std::move(flag)) {}

// The last free place is kept for the OVERFLOW that tells about losses.
void EventQueue::push(const tunnel_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  if (lost_ != 0 && count_ + 2 <= kCapacity) append(overflow());
  if (lost_ != 0 || count_ + 1 >= kCapacity) {
    ++lost_;
    lost_at_ns_ = event.mono_ns;
    return;
  }
  append(event);
  flag_.set(true);
}

bool EventQueue::pop(tunnel_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  if (count_ == 0 && lost_ != 0) append(overflow());
  if (count_ == 0) return false;
  event = ring_[first_];
  first_ = (first_ + 1) % kCapacity;
  --count_;
  flag_.set(count_ != 0 || lost_ != 0);
  return true;
}

void EventQueue::append(const tunnel_event& event) noexcept {
  ring_[(first_ + count_) % kCapacity] = event;
  ++count_;
}

tunnel_event EventQueue::overflow() noexcept {
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = TUNNEL_EVENT_OVERFLOW;
  event.value = std::exchange(lost_, 0);
  event.mono_ns = lost_at_ns_;
  return event;
}

}  // namespace tunnel::engine
