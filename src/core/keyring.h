// keyring.h — which session of a peer sends, which only receives, which waits for its confirmation.
//
//   current   the one we send on
//   next      we derived it as responder; the initiator's first data message confirms it
//   previous  two older ones, only for receiving what is still on its way
//
// WireGuard has one `previous`. After a simultaneous start each side sends on another session, so
// that a rekey would drop the very session the other side still sends on; with two, nothing is lost
// (docs/decisions/0002). Which one is given up is decided by when it last received something.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "protocol/gate.h"
#include "protocol/protocol.h"

namespace tunnel::core {

// A session in the core's slab, and what the core keeps beside it.
struct PeerSession {
  protocol::Session session;
  std::uint32_t slot = 0;         // of its peer
  std::uint64_t received_at = 0;  // newest authenticated datagram, or when it was made
  protocol::Mac response_mac1{};  // a cookie reply to our response must answer to it
  bool cookie_welcome = false;
  std::uint32_t planned = 0;  // packets between plan and commit that refer to it
  bool retired = false;
  PeerSession* next_retired = nullptr;
};

class Keyring {
 public:
  using Retired = std::array<PeerSession*, 2>;  // sessions that fell out; null = none

  PeerSession* current() const noexcept { return current_; }
  PeerSession* next() const noexcept { return next_; }
  bool is_next(const PeerSession* session) const noexcept { return session == next_; }

  // The response to our initiation was accepted: we send on the fresh session from now on. A
  // session that waits in `next` becomes a previous one: the peer will send on it (simultaneous
  // start).
  [[nodiscard]] Retired initiated(PeerSession* fresh) noexcept;
  // We answered an initiation: the session waits for its first data.
  [[nodiscard]] Retired responded(PeerSession* fresh) noexcept;
  // First data on `next`: we send on it from now on.
  [[nodiscard]] Retired confirmed() noexcept;
  // Those that are too old for anything; they are gone from here.
  std::array<PeerSession*, 4> take_expired(std::uint64_t now) noexcept;
  // Both previous ones.
  std::array<PeerSession*, 2> take_previous() noexcept { return std::exchange(previous_, {}); }
  // Everything that is here; nothing is left.
  std::array<PeerSession*, 4> take_all() noexcept;

 private:
  // Keeps `session` for receiving; returns the one that must go, or null.
  PeerSession* keep(PeerSession* session) noexcept;

  PeerSession* current_ = nullptr;
  PeerSession* next_ = nullptr;
  std::array<PeerSession*, 2> previous_{};
};

}  // namespace tunnel::core
