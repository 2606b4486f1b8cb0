#include "host/routing/request.h"

#include <span>

namespace tunnel::host {
namespace {

Table table_of(const tunnel_config_interface& interface) noexcept {
  if ((interface.fields & TUNNEL_CONFIG_TABLE_OFF) != 0) return Table::off;
  return interface.table == 0 ? Table::automatic : Table::number;
}

void add_peer(const tunnel_config_peer& peer, Request& request) {
  const std::span allowed(peer.allowed_ips, peer.allowed_ip_count);
  request.allowed_ips.insert(request.allowed_ips.end(), allowed.begin(), allowed.end());
  if (peer.endpoint.family != TUNNEL_FAMILY_NONE) request.endpoints.push_back(peer.endpoint);
}

}  // namespace

Request request_of(const tunnel_config* config, const std::string& name) {
  Request request;
  request.name = name;
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) != TUNNEL_OK) return request;
  request.mtu = interface.mtu;
  request.mark = interface.fwmark;
  request.port = interface.port;
  request.table = table_of(interface);
  request.table_number = interface.table;
  request.addresses.assign(interface.addresses, interface.addresses + interface.address_count);
  for (std::size_t i = 0; i < interface.peer_count; ++i) {
    tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
    if (tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK) add_peer(peer, request);
  }
  return request;
}

}  // namespace tunnel::host
