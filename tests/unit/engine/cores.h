// cores.h — two cores that know each other, and the inside packets they exchange.
#pragma once

#include <tunnel/core.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/base.h"
#include "support/catch.hpp"

namespace tunnel::test {

struct CoreDeleter {
  void operator()(tunnel_core* core) const { tunnel_core_destroy(core); }
};
using CorePtr = std::unique_ptr<tunnel_core, CoreDeleter>;

using Key = std::array<std::uint8_t, TUNNEL_KEY_SIZE>;

struct KeyPair {
  Key secret{};
  Key open{};

  KeyPair() {
    REQUIRE(tunnel_key_generate_private(secret.data()) == TUNNEL_OK);
    REQUIRE(tunnel_key_public(secret.data(), open.data()) == TUNNEL_OK);
  }
};

inline CorePtr make_core(const KeyPair& own, std::uint32_t flags = 0) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.flags = flags;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  CorePtr owned(core);
  REQUIRE(tunnel_core_set_private_key(core, own.secret.data()) == TUNNEL_OK);
  return owned;
}

// The peer owns 10.0.<node>.0/24.
inline std::uint64_t add_peer(tunnel_core* core, const Key& key, std::uint8_t node,
                              const tunnel_address& endpoint) {
  tunnel_prefix prefix{};
  prefix.family = TUNNEL_FAMILY_IPV4;
  prefix.length = 24;
  prefix.bytes[0] = 10;
  prefix.bytes[2] = node;
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  config.fields = TUNNEL_PEER_ENDPOINT;
  std::copy(key.begin(), key.end(), config.public_key);
  config.endpoint = endpoint;
  config.prefixes = &prefix;
  config.prefix_count = 1;
  std::uint64_t peer = 0;
  REQUIRE(tunnel_core_set_peer(core, &config, &peer) == TUNNEL_OK);
  return peer;
}

// Two cores, each the other's peer: node 1 is 10.0.1.0/24, node 2 is 10.0.2.0/24.
struct CorePair {
  explicit CorePair(const std::array<tunnel_address, 2>& addresses) {
    const std::array<KeyPair, 2> keys;
    for (std::size_t i = 0; i < 2; ++i) {
      cores[i] = make_core(keys[i]);
      const auto other = static_cast<std::uint8_t>(2 - i);
      peers[i] = add_peer(cores[i].get(), keys[1 - i].open, other, addresses[1 - i]);
    }
  }

  std::array<CorePtr, 2> cores;
  std::array<std::uint64_t, 2> peers{};
};

// An IPv4 packet from 10.0.<from>.1 to 10.0.<to>.1 that carries `number`.
inline std::vector<std::uint8_t> inside_packet(std::uint8_t from, std::uint8_t to,
                                               std::uint32_t number, std::size_t length = 100) {
  std::vector<std::uint8_t> packet(length);
  packet[0] = 0x45;
  base::store_be16(&packet[2], static_cast<std::uint16_t>(length));
  packet[8] = 64;
  packet[9] = 17;
  packet[12] = packet[16] = 10;
  packet[14] = from;
  packet[18] = to;
  packet[15] = packet[19] = 1;
  base::store_be32(&packet[20], number);
  return packet;
}

inline std::uint32_t number_of(const std::vector<std::uint8_t>& packet) {
  return base::load_be32(&packet[20]);
}

}  // namespace tunnel::test
