#include "routing.h"

#include <algorithm>
#include <iterator>

#include "ssh_session.h"

namespace simplevpn {
namespace {

bool same(const tunnel_address& a, const tunnel_address& b) {
  return a.family == b.family && a.port == b.port &&
         std::equal(std::begin(a.bytes), std::end(a.bytes), std::begin(b.bytes));
}

}  // namespace

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

void Endpoints::follow(tunnel_settings* settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  tell();
}

void Endpoints::add(const tunnel_address& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto is_it = [&](const tunnel_address& other) { return same(endpoint, other); };
  if (std::any_of(known_.begin(), known_.end(), is_it)) return;
  known_.push_back(endpoint);
  tell();
}

void Endpoints::add(const tunnel_config* config) {
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK; ++i) {
    if (peer.endpoint.family != TUNNEL_FAMILY_NONE) add(peer.endpoint);
  }
}

// A failure leaves the block as it was: closed for the new endpoint, which the next one retries.
void Endpoints::tell() {
  if (settings_ == nullptr) return;
  static_cast<void>(
      tunnel_settings_set_endpoints(settings_, known_.data(), known_.size(), nullptr));
}

}  // namespace simplevpn
