// session.h — one pair of transport keys, with its limits beside it (whitepaper 5.4.5, 6.2).
//
// Owned by the core's session slab; used from the core's single thread. The prepared cipher keys
// are embedded, so that a rekey allocates nothing. Wiped when released.
#pragma once

#include <tunnel/cipher.h>
#include <tunnel/status.h>

#include <cstdint>

#include "protocol/handshake.h"
#include "protocol/replay.h"

namespace tunnel::protocol {

class Session {
 public:
  Session() noexcept = default;
  ~Session() { wipe(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  struct Start {
    const SessionKeys& keys;
    std::uint32_t local_index;   // what the peer writes into data messages for us
    std::uint32_t remote_index;  // what we write into data messages for the peer
    bool initiator;              // we sent the initiation
  };
  // Returns 0 or the cipher's error.
  std::int32_t start(const tunnel_cipher& cipher, const Start& start, std::uint64_t now) noexcept;
  void wipe() noexcept;

  // Too old to send or open anything; or not started.
  bool expired(std::uint64_t now) const noexcept { return !is_fresh(now); }

  // ---- sending
  // Age and message limit allow another packet.
  bool can_send(std::uint64_t now) const noexcept;
  // The next nonce. Only after can_send().
  std::uint64_t take_counter() noexcept { return send_counter_++; }
  // After sending: 2^60 messages (either side), or 120 s (initiator).
  bool wants_rekey_after_send(std::uint64_t now) const noexcept;

  // ---- receiving
  // TUNNEL_OK, or TUNNEL_DROP_EXPIRED_KEY when age or counter limit forbid opening.
  std::int32_t can_open(std::uint64_t counter, std::uint64_t now) const noexcept;
  // After receiving: past 165 s as initiator, true once per session.
  bool wants_rekey_after_receive(std::uint64_t now) noexcept;
  ReplayWindow& window() noexcept { return window_; }

  const void* send_key() const noexcept { return send_key_; }
  const void* receive_key() const noexcept { return receive_key_; }
  std::uint32_t local_index() const noexcept { return local_index_; }
  std::uint32_t remote_index() const noexcept { return remote_index_; }
  bool initiator() const noexcept { return initiator_; }
  std::uint64_t created_at() const noexcept { return created_at_; }

 private:
  friend struct SessionProbe;  // tests only: moves the counters close to their limits

  bool is_fresh(std::uint64_t now) const noexcept { return live_ && age(now) < kRejectAfterTime; }
  std::uint64_t age(std::uint64_t now) const noexcept;

  alignas(16) std::uint8_t send_key_[TUNNEL_CIPHER_KEY_MAX]{};
  alignas(16) std::uint8_t receive_key_[TUNNEL_CIPHER_KEY_MAX]{};
  std::uint64_t send_counter_ = 0;
  std::uint64_t created_at_ = 0;
  std::uint32_t local_index_ = 0;
  std::uint32_t remote_index_ = 0;
  bool live_ = false;  // started and not wiped
  bool initiator_ = false;
  bool asked_for_rekey_ = false;  // the last-minute rekey on receive was asked for
  ReplayWindow window_;
};

}  // namespace tunnel::protocol
