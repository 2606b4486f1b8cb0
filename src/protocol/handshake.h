// handshake.h — Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as WireGuard uses it (whitepaper 5.4.1 to
// 5.4.5).
//
// Initiator and responder are two separate values: two peers that initiate at the same moment both
// finish. A message that does not authenticate changes nothing, so a forged response never kills a
// pending handshake. Every Diffie-Hellman result is checked for zero before anything is sent.
// mac1 and mac2 are not written here but by gate.h.
#pragma once

#include <cstdint>

#include "cipher/cipher.h"
#include "protocol/timestamp.h"
#include "protocol/wire.h"

namespace tunnel::protocol {

using cipher::Hash;
using cipher::Key;
using cipher::PublicKey;

// What whoever writes to `receiver` keys mac1 with, and what the cookies it gives are encrypted
// with (whitepaper 5.4.4, 5.4.7).
Hash mac1_key_of(const PublicKey& receiver) noexcept;
Hash cookie_key_of(const PublicKey& receiver) noexcept;

// Our static key and what follows from it alone. Owned by the core; handshakes borrow it per call.
struct Identity {
  Key private_key;
  PublicKey public_key{};
  Hash responder_hash{};  // HASH(HASH(construction || identifier) || public_key)
  Hash mac1_key{};        // HASH("mac1----" || public_key): checks mac1 of what we receive
  Hash cookie_key{};      // HASH("cookie--" || public_key): encrypts the cookies we give

  // Takes the private key (clamped) and derives the rest.
  void assign(base::BytesOf<32> private_key) noexcept;
  void clear() noexcept;

  // static-static DH with a peer; false when it is zero (low-order public key).
  [[nodiscard]] bool static_static(const PublicKey& remote, Key& out) const noexcept;
};

// Transport keys as they come out of a handshake.
struct SessionKeys {
  Key send;
  Key receive;
};

// What two handshake messages share: chaining key and transcript hash.
struct NoiseState {
  Key chaining;
  Hash hash{};
};

// Our initiation in flight. Holds the ephemeral key, which is wiped as soon as it has done its
// work: while it lives, the session can be derived from the two messages again. About 150 bytes.
class Initiator {
 public:
  // Everything that goes into one initiation.
  struct Input {
    const Identity& us;
    const PublicKey& remote;
    const Key& static_static;
    Timestamp timestamp;
    std::uint32_t sender;  // our index for this handshake and the session that follows; not 0
    Key ephemeral;         // fresh private key (32 random bytes; clamped here)
  };

  // Writes the message up to its macs (bytes 0..115). False when a DH is zero: send nothing;
  // nothing is in flight then.
  [[nodiscard]] bool start(Input input, base::MutableBytesOf<kInitiationSize> out) noexcept;

  // Reads the response. True when it authenticates; then `keys` is filled and nothing is in flight
  // any more. Otherwise nothing changed and the true response is still welcome.
  [[nodiscard]] bool finish(const Identity& us, const Key& preshared, ResponseBytes response,
                            SessionKeys& keys) noexcept;
  void wipe() noexcept;

  bool in_flight() const noexcept { return sender_ != 0; }
  std::uint32_t sender() const noexcept { return sender_; }

 private:
  NoiseState noise_;
  Key ephemeral_;
  std::uint32_t sender_ = 0;
};

// An initiation we received, up to the response. Lives on the stack of one poll.
class Responder {
 public:
  // Decrypts the initiator's static key (one DH). False when it does not authenticate.
  [[nodiscard]] bool read_static(const Identity& us, InitiationBytes initiation) noexcept;
  const PublicKey& remote() const noexcept { return remote_; }

  // Decrypts the timestamp; proves that the initiator owns remote(). Call after read_static.
  [[nodiscard]] bool read_timestamp(const Key& static_static, InitiationBytes initiation) noexcept;
  const Timestamp& timestamp() const noexcept { return timestamp_; }

  // Writes the response up to its macs (bytes 0..59) and derives the keys. `sender` is our index,
  // `ephemeral` a fresh private key. False when a DH is zero: send nothing.
  [[nodiscard]] bool respond(const Key& preshared, Key ephemeral, std::uint32_t sender,
                             base::MutableBytesOf<kResponseSize> out, SessionKeys& keys) noexcept;

 private:
  NoiseState noise_;
  PublicKey remote_{};
  PublicKey remote_ephemeral_{};
  Timestamp timestamp_{};
  std::uint32_t remote_index_ = 0;
};

}  // namespace tunnel::protocol
