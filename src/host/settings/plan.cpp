#include "host/settings/plan.h"

#include <algorithm>
#include <span>

#include "host/dns/dns.h"

namespace tunnel::host {
namespace {

bool bit(const tunnel_prefix& prefix, std::size_t index) noexcept {
  return (prefix.bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

// True when every address of `inner` lies in `outer`. Host bits do not matter.
bool covers(const tunnel_prefix& outer, const tunnel_prefix& inner) noexcept {
  if (outer.family != inner.family || outer.length > inner.length) return false;
  for (std::size_t i = 0; i < outer.length; ++i) {
    if (bit(outer, i) != bit(inner, i)) return false;
  }
  return true;
}

// Longest first, as wg-quick does it; equal ones stand together.
bool before(const tunnel_prefix& a, const tunnel_prefix& b) noexcept {
  if (a.length != b.length) return a.length > b.length;
  if (a.family != b.family) return a.family < b.family;
  return std::lexicographical_compare(std::begin(a.bytes), std::end(a.bytes), std::begin(b.bytes),
                                      std::end(b.bytes));
}

bool same(const tunnel_prefix& a, const tunnel_prefix& b) noexcept {
  return !before(a, b) && !before(b, a);
}

std::vector<tunnel_prefix> routes(const tunnel_config* config, std::size_t peers,
                                  std::span<const tunnel_prefix> addresses) {
  std::vector<tunnel_prefix> routes;
  for (std::size_t i = 0; i < peers; ++i) {
    tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
    if (tunnel_config_get_peer(config, i, &peer) != TUNNEL_OK) break;
    for (const tunnel_prefix& prefix : std::span(peer.allowed_ips, peer.allowed_ip_count)) {
      const bool connected = std::any_of(addresses.begin(), addresses.end(),
                                         [&](const auto& own) { return covers(own, prefix); });
      if (!connected) routes.push_back(prefix);
    }
  }
  std::sort(routes.begin(), routes.end(), before);
  routes.erase(std::unique(routes.begin(), routes.end(), same), routes.end());
  return routes;
}

}  // namespace

Plan make_plan(const tunnel_config* config, const std::string& interface_name) {
  Plan plan{interface_name, {}};
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) != TUNNEL_OK) return plan;
  const std::span addresses(interface.addresses, interface.address_count);
  const std::uint32_t mtu = interface.mtu != 0 ? interface.mtu : TUNNEL_MTU_DEFAULT;
  plan.steps.push_back(MtuStep{mtu});
  for (const tunnel_prefix& address : addresses) plan.steps.push_back(AddressStep{address});
  plan.steps.push_back(UpStep{});
  if ((interface.fields & TUNNEL_CONFIG_TABLE_OFF) == 0) {
    for (const tunnel_prefix& route : routes(config, interface.peer_count, addresses)) {
      plan.steps.push_back(RouteStep{.prefix = route, .device = interface_name});
    }
  }
  // Last: the tunnel's servers are asked only when packets to them go through the tunnel.
  if (auto names = plan_resolver(config, interface_name)) plan.steps.push_back(*std::move(names));
  return plan;
}

}  // namespace tunnel::host
