#include "host/machine/snapshot.h"

#include <algorithm>
#include <array>
#include <set>

#include "host/machine/prefix.h"

namespace tunnel::host {
namespace {

// What carries packets of others inside its own: it has a default route of its own in some table
// and is no uplink for that.
bool is_tunnel(const Link& link) noexcept {
  constexpr std::array<std::string_view, 9> kKinds = {"tun",    "wireguard", "ipip", "sit", "gre",
                                                      "ip6tnl", "xfrm",      "vti",  "ppp"};
  return std::find(kKinds.begin(), kKinds.end(), link.kind) != kKinds.end();
}

bool leads_out(const Machine& machine, const Route& route) noexcept {
  const Link* link = machine.link(route.device);
  if (!is_default(route.prefix) || link == nullptr || link->loopback) return false;
  return route.table == kMainTable || !is_tunnel(*link);
}

bool better(const Route& a, const Route* b) noexcept {
  if (b == nullptr) return true;
  if (a.prefix.length != b->prefix.length) return a.prefix.length > b->prefix.length;
  return a.metric < b->metric;
}

}  // namespace

const Link* Machine::link(std::string_view name) const noexcept {
  const auto found =
      std::find_if(links.begin(), links.end(), [&](const Link& each) { return each.name == name; });
  return found == links.end() ? nullptr : &*found;
}

std::optional<std::string> Machine::sysctl(std::string_view name) const {
  const auto found = sysctls.find(name);
  if (found == sysctls.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Machine::uplinks(std::string_view except) const {
  std::set<std::string> names;
  for (const Route& route : routes) {
    if (route.device != except && leads_out(*this, route)) names.insert(route.device);
  }
  return {names.begin(), names.end()};
}

const Route* Machine::route_to(const tunnel_prefix& address) const noexcept {
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (route.table != kMainTable || !covers(route.prefix, address)) continue;
    if (better(route, best)) best = &route;
  }
  return best;
}

}  // namespace tunnel::host
