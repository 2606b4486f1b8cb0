#include "host/control/facts.h"

namespace tunnel::host {
TunnelFacts facts_of(const tunnel_config* config) {
  TunnelFacts facts;
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) != TUNNEL_OK) return facts;
  if (interface.private_key != nullptr) {
    facts.private_key.assign(
        base::BytesOf<TUNNEL_KEY_SIZE>(interface.private_key, TUNNEL_KEY_SIZE));
  }
  facts.fwmark = interface.fwmark;
  facts.file = interface.file;
  if (facts.file.find_first_of("\r\n") != std::string::npos) facts.file.clear();
  for (std::size_t i = 0; i < interface.peer_count; ++i) {
    tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
    if (tunnel_config_get_peer(config, i, &peer) != TUNNEL_OK || peer.name[0] == '\0') continue;
    facts.names[public_key_of(peer.public_key)] = peer.name;
  }
  return facts;
}

std::string_view name_of(const TunnelFacts& facts, const std::uint8_t* public_key) {
  const auto name = facts.names.find(public_key_of(public_key));
  return name == facts.names.end() ? std::string_view() : name->second;
}

}  // namespace tunnel::host
