// core_support.h — cores for tests of the host library.
#pragma once

#include <tunnel/core.h>

#include <cstdint>
#include <memory>

#include "support/catch.hpp"

namespace tunnel::test {

struct CoreDeleter {
  void operator()(tunnel_core* core) const { tunnel_core_destroy(core); }
};
using CorePtr = std::unique_ptr<tunnel_core, CoreDeleter>;

inline CorePtr make_core() {
  const tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  return CorePtr(core);
}

inline tunnel_peer_info peer_info(const tunnel_core* core, const std::uint8_t* public_key) {
  std::uint64_t peer = 0;
  REQUIRE(tunnel_core_find_peer(core, public_key, &peer) == TUNNEL_OK);
  tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
  REQUIRE(tunnel_core_get_peer(core, peer, &info) == TUNNEL_OK);
  return info;
}

}  // namespace tunnel::test
