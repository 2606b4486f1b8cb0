// parties.h — two identities and one handshake between them, as the tests of this room need them.
#pragma once

#include <array>

#include "protocol/gate.h"
#include "protocol/protocol.h"

namespace tunnel::protocol {

inline constexpr std::array<std::uint8_t, 32> kSeed{7};

// Somebody with a key pair, a random stream and a pre-shared key.
struct Party {
  explicit Party(cipher::Random& random) {
    Key key;
    random.fill(key.writable());
    us.assign(key.bytes());
  }
  Identity us;
};

inline Key fresh_key(cipher::Random& random) {
  Key key;
  random.fill(key.writable());
  return key;
}

// One handshake of alice (initiator) with bob, message by message.
struct Handshake {
  explicit Handshake(std::uint64_t seed = 0) {
    auto bytes = kSeed;
    base::store_le64(&bytes[8], seed);
    random = cipher::Random(bytes);
    alice.emplace(random);
    bob.emplace(random);
  }

  bool initiate(std::uint64_t wall_ns = 1'000 * kSecond) {
    Key shared;
    if (!alice->us.static_static(bob->us.public_key, shared)) return false;
    return initiator.start({alice->us, bob->us.public_key, shared, encode_timestamp(wall_ns),
                            kAliceIndex, fresh_key(random)},
                           initiation);
  }

  // Bob reads the initiation as a core does: static key, then timestamp.
  bool read(InitiationBytes message) {
    responder.emplace();
    Key shared;
    return responder->read_static(bob->us, message) &&
           bob->us.static_static(responder->remote(), shared) &&
           responder->read_timestamp(shared, message);
  }

  bool respond() {
    return responder->respond(preshared, fresh_key(random), kBobIndex, response, bob_keys);
  }

  bool finish(ResponseBytes message) {
    return initiator.finish(alice->us, preshared, message, alice_keys);
  }

  bool keys_agree() const {
    return base::equal_constant_time(alice_keys.send.bytes(), bob_keys.receive.bytes()) &&
           base::equal_constant_time(alice_keys.receive.bytes(), bob_keys.send.bytes()) &&
           !base::equal_constant_time(alice_keys.send.bytes(), alice_keys.receive.bytes());
  }

  static constexpr std::uint32_t kAliceIndex = 0x11223344;
  static constexpr std::uint32_t kBobIndex = 0x55667788;

  cipher::Random random;
  std::optional<Party> alice, bob;
  Key preshared;  // zero = none, for both
  Initiator initiator;
  std::optional<Responder> responder;
  std::array<std::uint8_t, kInitiationSize> initiation{};
  std::array<std::uint8_t, kResponseSize> response{};
  SessionKeys alice_keys, bob_keys;
};

}  // namespace tunnel::protocol
