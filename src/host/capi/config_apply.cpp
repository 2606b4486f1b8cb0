// config_apply.cpp — hands a configuration to a core.
#include <tunnel/host/config.h>

#include <algorithm>
#include <cstring>

#include "host/capi/objects.h"

namespace host = tunnel::host;

namespace {

tunnel_peer_config peer_config_of(const host::PeerSection& peer) noexcept {
  tunnel_peer_config out = TUNNEL_PEER_CONFIG_INIT;
  out.fields = TUNNEL_PEER_PRESHARED_KEY | TUNNEL_PEER_ENDPOINT | TUNNEL_PEER_KEEPALIVE;
  out.flags = TUNNEL_PEER_REPLACE_PREFIXES;
  out.keepalive_s = peer.keepalive_s;
  std::copy(peer.public_key.begin(), peer.public_key.end(), out.public_key);
  std::memcpy(out.preshared_key, peer.preshared_key.data(), sizeof(out.preshared_key));
  out.endpoint = peer.endpoint;
  out.prefixes = peer.allowed_ips.data();
  out.prefix_count = peer.allowed_ips.size();
  return out;
}

std::int32_t set_peer(tunnel_core* core, const host::PeerSection& peer) noexcept {
  tunnel_peer_config config = peer_config_of(peer);
  const std::int32_t status = tunnel_core_set_peer(core, &config, nullptr);
  tunnel::base::wipe(config.preshared_key, sizeof(config.preshared_key));
  return status;
}

}  // namespace

int32_t tunnel_config_apply(const tunnel_config* config, tunnel_core* core) {
  if (config == nullptr || core == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto& key = config->content.interface.private_key;
  std::int32_t status = tunnel_core_set_private_key(core, key.is_zero() ? nullptr : key.data());
  for (const host::PeerSection& peer : config->content.peers) {
    if (status != TUNNEL_OK) return status;
    status = set_peer(core, peer);
  }
  return status;
}
