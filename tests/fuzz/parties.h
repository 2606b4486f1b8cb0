// parties.h — the two fixed identities whose handshake the protocol targets attack.
//
// The keys are those of the known answers in tests/unit/protocol, so that their messages are seeds.
#pragma once

#include "input.h"
#include "protocol/gate.h"
#include "protocol/protocol.h"

namespace tunnel::fuzz {

// 32 bytes that count up from `first`.
inline std::array<std::uint8_t, 32> counting(std::uint8_t first) {
  std::array<std::uint8_t, 32> bytes;
  for (auto& byte : bytes) byte = first++;
  return bytes;
}

inline constexpr std::uint32_t kAliceIndex = 0x01020304;
inline constexpr std::uint32_t kBobIndex = 0x05060708;

struct Parties {
  Parties() : preshared(counting(0xd0)) {
    alice.assign(counting(0x10));
    bob.assign(counting(0x40));
    expect(alice.static_static(bob.public_key, shared), "fixed keys have a shared secret");
  }

  // Alice's true initiation with this ephemeral key.
  bool initiate(protocol::Initiator& initiator, cipher::Key ephemeral, std::uint64_t wall_ns,
                base::MutableBytesOf<protocol::kInitiationSize> out) const {
    return initiator.start({alice, bob.public_key, shared, protocol::encode_timestamp(wall_ns),
                            kAliceIndex, std::move(ephemeral)},
                           out);
  }

  // Bob reads it as a core does.
  bool read(protocol::Responder& responder, protocol::InitiationBytes message) const {
    cipher::Key with_remote;
    return responder.read_static(bob, message) &&
           bob.static_static(responder.remote(), with_remote) &&
           responder.read_timestamp(with_remote, message);
  }

  protocol::Identity alice, bob;
  cipher::Key shared, preshared;
};

inline bool same(const cipher::Key& a, const cipher::Key& b) {
  return base::equal_constant_time(a.bytes(), b.bytes());
}

}  // namespace tunnel::fuzz
