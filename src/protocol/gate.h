// gate.h — second door of the room `protocol`: what stands before any Diffie-Hellman.
//
// mac1 proves that the sender knows our public key; mac2 proves that it owns its address; the
// limiter keeps one address from asking too often (whitepaper 5.3, 5.4.4, 5.4.7). All of it is
// cheap on purpose.
#pragma once

#include <tunnel/packet.h>

#include <array>
#include <cstdint>
#include <vector>

#include "cipher/cipher.h"
#include "protocol/handshake.h"
#include "protocol/wire.h"

namespace tunnel::protocol {

using Mac = std::array<std::uint8_t, kMacSize>;
using Cookie = std::array<std::uint8_t, kMacSize>;

// ---- what we write into our own handshake messages

// The cookie a peer gave us and the mac1 values it may answer to. One per peer.
class CookieJar {
 public:
  // Appends mac1 (from the receiver's public key) and mac2 (zero without a fresh cookie) to a whole
  // initiation or response; returns the mac1, which the caller keeps with the handshake state.
  Mac write_macs(base::MutableBytes message, const PublicKey& receiver,
                 std::uint64_t now) const noexcept;

  // Decrypts a cookie reply with the mac1 it must answer to. True: kept for 115 s.
  [[nodiscard]] bool accept(CookieReplyBytes reply, const PublicKey& sender, const Mac& mac1,
                            std::uint64_t now) noexcept;

 private:
  Cookie cookie_{};
  std::uint64_t received_at_ = 0;
  bool valid_ = false;
};

// ---- what we ask of handshake messages we receive

// True when mac1 of a whole initiation or response is made for us. Constant time.
bool check_mac1(const Identity& us, base::Bytes message) noexcept;

// Gives and checks cookies. One per core. The secret rotates every 120 s.
class CookieIssuer {
 public:
  // True when mac2 was made with a cookie we gave to this address (IP and port) under the present
  // secret. `random` is used when the secret is due for rotation.
  bool check_mac2(base::Bytes message, const tunnel_address& from, std::uint64_t now,
                  cipher::Random& random) noexcept;

  // Writes the cookie reply over the first kCookieReplySize bytes of the initiation or response
  // that it answers: nothing is larger than what caused it, and no second buffer is needed.
  void reply(const Identity& us, base::MutableBytes message, const tunnel_address& from,
             std::uint64_t now, cipher::Random& random) noexcept;

 private:
  Cookie cookie_for(const tunnel_address& from, std::uint64_t now, cipher::Random& random) noexcept;

  cipher::Key secret_;
  std::uint64_t secret_made_at_ = 0;
  bool has_secret_ = false;
};

// Token bucket per IPv4 address or IPv6 /64: 20 a second, burst 5. Fixed memory, taken at creation;
// when a set is full, the entry that is refilled longest gives way. Never an O(n) pass.
class RateLimiter {
 public:
  explicit RateLimiter(cipher::Random& random);

  [[nodiscard]] bool allow(const tunnel_address& from, std::uint64_t now) noexcept;

 private:
  struct Entry {
    std::uint64_t source;   // IPv4 address or IPv6 /64, tagged by family; 0 = empty
    std::uint64_t full_at;  // when the bucket is full again; it fills at one token per 50 ms
  };
  static constexpr std::size_t kSets = 1024;
  static constexpr std::size_t kWays = 4;

  // The source's own entry, or the one of its set that gives way to it.
  Entry& entry_of(std::uint64_t source) noexcept;

  cipher::Key hash_key_;        // so that nobody can aim at one set
  std::vector<Entry> entries_;  // kSets x kWays
};

}  // namespace tunnel::protocol
