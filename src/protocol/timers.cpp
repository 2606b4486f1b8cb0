#include "protocol/timers.h"

#include <algorithm>

namespace tunnel::protocol {

void Timers::data_sent(std::uint64_t now, std::uint64_t jitter) noexcept {
  if (new_handshake_ == kOff) new_handshake_ = now + kNewHandshakeTime + jitter;
}

void Timers::data_received(std::uint64_t now) noexcept {
  // The kernel also asks for one more keepalive when more data came meanwhile. Nothing needs it:
  // the keepalive is later than all of that data, so whoever sent it has its answer.
  if (keepalive_ == kOff) keepalive_ = now + kKeepaliveTimeout;
}

void Timers::any_sent() noexcept {
  keepalive_ = kOff;
}

void Timers::any_received() noexcept {
  new_handshake_ = kOff;
}

void Timers::any_traversal(std::uint64_t now) noexcept {
  if (persistent_s_ != 0) persistent_ = now + persistent_s_ * kSecond;
}

void Timers::handshake_initiated(std::uint64_t now, std::uint64_t jitter) noexcept {
  retransmit_ = now + kRekeyTimeout + jitter;
}

void Timers::handshake_complete() noexcept {
  retransmit_ = kOff;
  attempts_ = 0;
}

void Timers::session_derived(std::uint64_t now) noexcept {
  wipe_ = now + kWipeAfterTime;
}

void Timers::handshake_kept(std::uint64_t now) noexcept {
  if (wipe_ == kOff) wipe_ = now + kWipeAfterTime;
}

void Timers::set_persistent_keepalive(std::uint16_t seconds, std::uint64_t now) noexcept {
  persistent_s_ = seconds;
  if (seconds == 0) {
    persistent_ = kOff;
  } else if (persistent_ == kOff) {
    persistent_ = now;
  } else {
    persistent_ = std::min(persistent_, now + seconds * kSecond);
  }
}

std::uint64_t Timers::deadline() const noexcept {
  return std::min({retransmit_, new_handshake_, keepalive_, persistent_, wipe_});
}

std::uint32_t Timers::expire(std::uint64_t now) noexcept {
  if (now < deadline()) return kNothing;
  std::uint32_t actions = kNothing;
  if (retransmit_ <= now) actions |= expire_retransmit(now);
  if (new_handshake_ <= now) {
    new_handshake_ = kOff;
    // Data sent into the void, which comes here every 15 s, keeps no dead endpoint alive.
    const bool under_way = handshake_in_progress() || (actions & kRetryHandshake) != 0;
    if (!under_way) attempts_ = 0;
    actions |= kNewHandshake;
  }
  if (keepalive_ <= now) {
    keepalive_ = kOff;
    actions |= kKeepalive;
  }
  if (persistent_ <= now) {
    // Armed again already here: a keepalive that cannot be sent now must not be the last one.
    persistent_ = now + persistent_s_ * kSecond;
    actions |= kPersistentKeepalive;
  }
  if (wipe_ <= now) {
    wipe_ = kOff;
    actions |= kWipe;
  }
  return actions;
}

// The caller arms the next retry, by handshake_initiated() or retry_at().
std::uint32_t Timers::expire_retransmit(std::uint64_t now) noexcept {
  retransmit_ = kOff;
  if (attempts_ <= kMaxHandshakeAttempts) {
    ++attempts_;
    return kRetryHandshake;
  }
  keepalive_ = kOff;
  handshake_kept(now);
  return kGiveUp;
}

void Timers::clear() noexcept {
  const auto seconds = persistent_s_;
  *this = Timers();
  persistent_s_ = seconds;
}

}  // namespace tunnel::protocol
