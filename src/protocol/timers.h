// timers.h — when a peer must speak although nobody asked it to (whitepaper 6.2 - 6.5).
//
// Pure state: events come in with the time, due actions come out of expire(). Nothing here sends.
// One per peer; about 100 bytes; used from the core's single thread. A member that is kOff is not
// armed.
#pragma once

#include <cstdint>

#include "protocol/wire.h"

namespace tunnel::protocol {

class Timers {
 public:
  static constexpr std::uint64_t kOff = UINT64_MAX;

  // What expire() asks for; a set of bits.
  enum Action : std::uint32_t {
    kNothing = 0,
    kRetryHandshake = 1,  // initiate again (attempts counted here); forget the source address
    kGiveUp = 2,          // 90 s without an answer: drop staged packets, keep the peer
    kNewHandshake = 4,    // 15 s of silence after our data: initiate; forget the source address
    kKeepalive = 8,       // passive keepalive: 10 s after data was received with nothing sent
    kPersistentKeepalive = 16,
    kWipe = 32,  // 540 s: wipe handshake and sessions, keep the timestamp
  };

  // ---- events; `jitter` is 0..kJitter, fresh and random
  void data_sent(std::uint64_t now, std::uint64_t jitter) noexcept;  // non-empty
  void data_received(std::uint64_t now) noexcept;                    // non-empty, authenticated
  void any_sent() noexcept;                        // authenticated, handshakes too
  void any_received() noexcept;                    // authenticated, keepalives and handshakes too
  void any_traversal(std::uint64_t now) noexcept;  // either way: re-arms the persistent keepalive
  void handshake_initiated(std::uint64_t now, std::uint64_t jitter) noexcept;
  void handshake_complete() noexcept;
  void session_derived(std::uint64_t now) noexcept;
  void handshake_kept(std::uint64_t now) noexcept;  // secrets, and perhaps never a session

  // Every trigger that is not a retry starts counting attempts anew.
  void reset_attempts() noexcept { attempts_ = 0; }
  // A retry that the 5 s throttle refused is tried again at its end (the kernel loses it).
  void retry_at(std::uint64_t when) noexcept { retransmit_ = when; }
  bool handshake_in_progress() const noexcept { return retransmit_ != kOff; }

  // Seconds, 0 = off. Turning it on makes one due at once.
  void set_persistent_keepalive(std::uint16_t seconds, std::uint64_t now) noexcept;
  std::uint16_t persistent_keepalive() const noexcept { return persistent_s_; }

  // ---- expiry
  std::uint64_t deadline() const noexcept;  // earliest armed, or kOff
  // Actions that are due, each disarmed or re-armed by its rule.
  std::uint32_t expire(std::uint64_t now) noexcept;

  void clear() noexcept;  // all but the persistent keepalive interval

 private:
  std::uint32_t expire_retransmit(std::uint64_t now) noexcept;

  std::uint64_t retransmit_ = kOff;
  std::uint64_t new_handshake_ = kOff;
  std::uint64_t keepalive_ = kOff;
  std::uint64_t persistent_ = kOff;
  std::uint64_t wipe_ = kOff;
  std::uint32_t attempts_ = 0;
  std::uint16_t persistent_s_ = 0;
};

}  // namespace tunnel::protocol
