#include <tunnel/core.h>
#include <tunnel/host/config.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "config_support.h"
#include "core_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;

TEST_CASE("a configuration gives a core its key and its peers", "[host][config]") {
  const Parsed parsed = parse(with_peer("PresharedKey = " + kOtherKey +
                                        "\n"
                                        "Endpoint = 192.0.2.1:51820\n"
                                        "AllowedIPs = 10.9.0.2/32, fd00::2/128\n"
                                        "PersistentKeepalive = 25\n"
                                        "[Peer]\nPublicKey = " +
                                        kOtherKey +
                                        "\n"
                                        "Endpoint = vpn.example.com:51820\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  const CorePtr core = make_core();
  REQUIRE(tunnel_config_apply(parsed.config.get(), core.get()) == TUNNEL_OK);
  std::uint8_t own_key[TUNNEL_KEY_SIZE];
  REQUIRE(tunnel_core_public_key(core.get(), own_key) == TUNNEL_OK);
  const tunnel_peer_info first = peer_info(core.get(), parsed.peer(0).public_key);
  CHECK(first.keepalive_s == 25);
  CHECK(first.endpoint.port == 51820);
  CHECK(first.prefix_count == 2);
  CHECK(std::equal(first.preshared_key, first.preshared_key + TUNNEL_KEY_SIZE,
                   parsed.peer(0).preshared_key));
  const tunnel_peer_info second = peer_info(core.get(), parsed.peer(1).public_key);
  CHECK(second.endpoint.family == TUNNEL_FAMILY_NONE);
  CHECK(second.prefix_count == 0);
}
