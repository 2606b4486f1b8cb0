// peer.h — what the core knows of one peer. Idle ones are small: sessions and handshake live
// elsewhere.
#pragma once

#include <tunnel/core.h>

#include <cstdint>

#include "core/deadline_queue.h"
#include "core/initiation_queue.h"
#include "core/keyring.h"
#include "core/staging.h"
#include "protocol/gate.h"
#include "protocol/protocol.h"

namespace tunnel::core {

// Our handshakes with one peer; exists from the first handshake until keys are wiped.
struct PeerHandshake {
  protocol::Key static_static;  // costs a Diffie-Hellman, so it is kept with the session state
  protocol::Initiator initiator;
  protocol::Mac initiation_mac1{};
  std::uint64_t initiated_at = 0;
  bool cookie_welcome = false;  // a cookie reply to this initiation has not come yet
};

struct Peer {
  static constexpr std::uint64_t kNever = TUNNEL_TIME_NEVER;

  protocol::PublicKey public_key{};
  protocol::Key preshared_key;
  tunnel_address endpoint{};
  tunnel_address local{};  // sticky source: where the peer's last datagram arrived
  protocol::Timers timers;
  protocol::CookieJar cookies;
  protocol::Timestamp greatest_timestamp{};
  Keyring keys;
  PeerHandshake* handshake = nullptr;

  std::uint64_t handshake_sent_at = kNever;       // initiation or response: the 5 s throttle
  std::uint64_t initiation_received_at = kNever;  // the 20 ms flood check
  std::uint64_t initiate_at = kNever;             // a paced start, or a rekey
  std::uint64_t handshake_began_at = kNever;
  std::uint64_t handshake_took_ns = 0;
  std::uint64_t latest_handshake_wall_ns = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;

  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  Staging::Queue staged = Staging::kNone;
  DeadlineLink deadline;
  InitiationLink initiation;
  bool keepalive_due = false;  // a timer's, or to confirm a session, or to show a new address
  bool alive = false;

  std::uint64_t id() const noexcept { return std::uint64_t{generation} << 32 | (slot + 1u); }
  bool has_endpoint() const noexcept { return endpoint.family != TUNNEL_FAMILY_NONE; }
};

}  // namespace tunnel::core
