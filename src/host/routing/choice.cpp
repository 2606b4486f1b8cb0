#include "host/routing/choice.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::uint32_t kFirstTable = 51820;  // as wg-quick counts

bool has_default(const Request& request, std::uint8_t family) noexcept {
  return std::any_of(
      request.allowed_ips.begin(), request.allowed_ips.end(),
      [&](const tunnel_prefix& prefix) { return prefix.family == family && is_default(prefix); });
}

bool is_taken(const Machine& machine, std::uint32_t table) noexcept {
  const auto& routes = machine.routes;
  const auto& rules = machine.rules;
  return std::any_of(routes.begin(), routes.end(),
                     [&](const Route& route) { return route.table == table; }) ||
         std::any_of(rules.begin(), rules.end(),
                     [&](const Rule& rule) { return rule.table == table || rule.mark == table; });
}

std::uint32_t free_table(const Machine& machine) noexcept {
  std::uint32_t table = kFirstTable;
  while (is_taken(machine, table)) ++table;
  return table;
}

std::uint32_t own_table(const Request& request, const Machine& machine) noexcept {
  if (request.numbers.table != 0) return request.numbers.table;
  if (request.scheme != Scheme::wg_quick) return free_table(machine);
  if (request.table == Table::number) return request.table_number;
  return request.mark != 0 ? request.mark : free_table(machine);
}

std::uint32_t value_of(const Machine& machine, const std::string& link, const char* name) {
  const auto text = machine.sysctl("net/ipv4/conf/" + link + "/" + name);
  return text == "1" ? 1 : text == "2" ? 2 : 0;
}

// A cable that was pulled takes the default route with it. What it leads to is no more to be
// trusted then, nor in the moment when it is back and its default route is not.
std::vector<std::string> all_uplinks(const Request& request, const Machine& machine) {
  std::vector<std::string> uplinks = machine.uplinks(request.name);
  for (const std::string& former : request.numbers.uplinks) {
    if (machine.link(former) != nullptr) uplinks.push_back(former);
  }
  std::sort(uplinks.begin(), uplinks.end());
  uplinks.erase(std::unique(uplinks.begin(), uplinks.end()), uplinks.end());
  return uplinks;
}

// Of both families; IPv4 first, as it is what servers translate.
std::string main_uplink(const Machine& machine, const std::vector<std::string>& uplinks) {
  for (const std::uint8_t family : kFamilies) {
    const Route* way = machine.route_to({family, 0, 0, 0, {}});
    if (way == nullptr) continue;
    if (std::find(uplinks.begin(), uplinks.end(), way->device) != uplinks.end()) return way->device;
  }
  return uplinks.empty() ? std::string() : uplinks.front();
}

// The kernel takes the larger of the two.
bool filters_strictly(const Machine& machine, const std::vector<std::string>& uplinks) {
  const std::uint32_t all = value_of(machine, "all", "rp_filter");
  return std::any_of(uplinks.begin(), uplinks.end(), [&](const std::string& uplink) {
    return std::max(all, value_of(machine, uplink, "rp_filter")) == 1;
  });
}

// Links whose other end is on this machine, or inside a tunnel of another program. All else has
// strangers at its other end: hardware, parts of it (vlan, macvlan), modems (wwan, ppp).
bool is_inner(const Link& link) noexcept {
  constexpr std::array<std::string_view, 16> kKinds = {
      "bridge", "veth",   "tun", "dummy", "ifb",  "netkit", "wireguard", "ipip",
      "sit",    "ip6tnl", "gre", "vti",   "vti6", "xfrm",   "vxlan",     "geneve"};
  return std::find(kKinds.begin(), kKinds.end(), link.kind) != kKinds.end();
}

// A network of hardware that is no uplink is somebody's word in DHCP, too: only private ones count.
// With the kill switch not even they do: it may be an uplink whose default route is still to come.
bool is_kept(const Request& request, const Choice& choice, const LinkAddress& each,
             const Link& link) {
  const auto& uplinks = choice.uplinks;
  const bool inner = is_inner(link);
  const bool uplink = std::find(uplinks.begin(), uplinks.end(), link.name) != uplinks.end();
  if (uplink || (!inner && request.kill_switch)) return request.lan && is_private(each.address);
  if (is_link_local(each.address)) return false;
  return inner || is_private(each.address);
}

std::vector<Exception> exceptions(const Request& request, const Choice& choice,
                                  const Machine& machine) {
  std::vector<Exception> kept;
  for (const LinkAddress& each : machine.addresses) {
    const Link* link = machine.link(each.link);
    const std::uint8_t whole = each.address.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
    if (link == nullptr || link->loopback || link->name == request.name) continue;
    if (each.address.length == whole || !is_kept(request, choice, each, *link)) continue;
    const Exception exception{network_of(each.address), each.link};
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const Exception& other) {
      return same_network(other.prefix, exception.prefix) && other.link == exception.link;
    });
    if (!known) kept.push_back(exception);
  }
  return kept;
}

}  // namespace

bool needs_mark(const Request& request, const Choice& choice) noexcept {
  if (request.kill_switch || request.scheme == Scheme::strict) return true;
  const bool automatic = request.table == Table::automatic || request.scheme == Scheme::split;
  return automatic && takes_everything(choice);
}

bool is_optional_guard(const Request& request, const Choice& choice) noexcept {
  const bool bare = request.scheme == Scheme::wg_quick && request.share.empty();
  return bare && !needs_mark(request, choice);
}

Choice choose(const Request& request, const Machine& machine) {
  Choice choice;
  choice.ipv4_default = has_default(request, TUNNEL_FAMILY_IPV4);
  choice.ipv6_default = has_default(request, TUNNEL_FAMILY_IPV6);
  choice.ipv6 = machine.sysctl("net/ipv6/conf/all/disable_ipv6").has_value();
  choice.uplinks = all_uplinks(request, machine);
  choice.uplink = main_uplink(machine, choice.uplinks);
  choice.strict_filter = filters_strictly(machine, choice.uplinks);
  choice.mark = request.mark;
  if (needs_mark(request, choice)) {
    choice.table = own_table(request, machine);
    if (choice.mark == 0) choice.mark = choice.table;
  }
  choice.exceptions = exceptions(request, choice, machine);
  return choice;
}

}  // namespace tunnel::host
