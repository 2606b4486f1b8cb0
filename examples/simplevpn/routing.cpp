#include "routing.h"

#include "ssh_session.h"

namespace simplevpn {

tunnel_settings_request Routing::request(const std::vector<tunnel_address>& resolvers) const {
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  const auto add = [&](bool wanted, std::uint32_t flag) { request.flags |= wanted ? flag : 0; };
  add(lan, TUNNEL_SETTINGS_LAN);
  add(kill_switch, TUNNEL_SETTINGS_KILL_SWITCH);
  add(server, TUNNEL_SETTINGS_SERVER);
  add(client_to_client, TUNNEL_SETTINGS_CLIENT_TO_CLIENT);
  add(no_foreign_rules, TUNNEL_SETTINGS_NO_FOREIGN_RULES);
  if (strict) request.scheme = TUNNEL_SCHEME_STRICT;
  if (split) request.scheme = TUNNEL_SCHEME_SPLIT;
  request.nat = nat.empty() ? nullptr : nat.c_str();
  request.share = share.empty() ? nullptr : share.c_str();
  request.resolvers = resolvers.data();
  request.resolver_count = resolvers.size();
  return request;
}

bool Routing::needs_consent() const {
  return kill_switch && !agreed && is_ssh_session();
}

}  // namespace simplevpn
