#include "host/routing/plan.h"

#include <tunnel/core.h>

#include <algorithm>
#include <array>

#include "host/routing/choice.h"
#include "host/routing/filter.h"
#include "host/routing/server.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using Steps = std::vector<Step>;

constexpr std::uint32_t kRulesOfOurs = 31820;  // above table main (32766), two for each tunnel
constexpr std::uint32_t kFirstFreeRule = 32766;
constexpr std::uint32_t kMtuMargin = 80;  // the largest header around a packet

tunnel_prefix everything(std::uint8_t family) noexcept {
  return {family, 0, 0, 0, {}};
}

bool takes(const Choice& choice, std::uint8_t family) noexcept {
  return family == TUNNEL_FAMILY_IPV4 ? choice.ipv4_default : choice.ipv6_default;
}

// A tunnel for all of IPv4 that knows nothing of IPv6 would let that pass beside it.
bool blocks_ipv6(const Choice& choice, std::uint8_t family) noexcept {
  return family == TUNNEL_FAMILY_IPV6 && choice.ipv6 && choice.ipv4_default && !choice.ipv6_default;
}

// Longest first, as wg-quick does it; equal ones stand together.
bool before(const tunnel_prefix& a, const tunnel_prefix& b) noexcept {
  if (a.length != b.length) return a.length > b.length;
  if (a.family != b.family) return a.family < b.family;
  return std::lexicographical_compare(std::begin(a.bytes), std::end(a.bytes), std::begin(b.bytes),
                                      std::end(b.bytes));
}

std::vector<tunnel_prefix> sorted_prefixes(const Request& request) {
  std::vector<tunnel_prefix> prefixes;
  for (const tunnel_prefix& each : request.allowed_ips) prefixes.push_back(network_of(each));
  std::sort(prefixes.begin(), prefixes.end(), before);
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end(), same_network), prefixes.end());
  return prefixes;
}

void push_once(const tunnel_prefix& prefix, std::vector<tunnel_prefix>& prefixes) {
  const bool known = std::any_of(prefixes.begin(), prefixes.end(), [&](const tunnel_prefix& other) {
    return same_network(other, prefix);
  });
  if (!known) prefixes.push_back(prefix);
}

bool is_connected(const Request& request, const tunnel_prefix& prefix) noexcept {
  return std::any_of(request.addresses.begin(), request.addresses.end(),
                     [&](const tunnel_prefix& own) { return covers(own, prefix); });
}

// ---- the interface

// wg-quick's: what the thinnest way to an endpoint carries, or the default route, less our header.
std::uint32_t mtu_of(const Request& request, const Machine& machine) {
  if (request.mtu != 0) return request.mtu;
  std::uint32_t thinnest = 0;
  std::vector<tunnel_prefix> ways;
  for (const tunnel_address& each : request.endpoints) ways.push_back(host_prefix(each));
  if (ways.empty()) ways = {everything(TUNNEL_FAMILY_IPV4)};
  for (const tunnel_prefix& way : ways) {
    const Route* route = machine.route_to(way);
    const Link* link = route == nullptr ? nullptr : machine.link(route->device);
    if (link == nullptr || link->mtu <= kMtuMargin) continue;
    thinnest = thinnest == 0 ? link->mtu : std::min(thinnest, link->mtu);
  }
  constexpr std::uint32_t kSmallest = 1280;  // what IPv6 asks for
  return thinnest == 0 ? TUNNEL_MTU_DEFAULT : std::max(kSmallest, thinnest - kMtuMargin);
}

void add_interface(const Request& request, const Machine& machine, Steps& steps) {
  steps.push_back(MtuStep{mtu_of(request, machine)});
  for (const tunnel_prefix& address : request.addresses) steps.push_back(AddressStep{address});
  steps.push_back(UpStep{});
}

// ---- wg-quick's scheme

// The number that the kernel would choose: one less than the first rule after that of table local.
std::uint32_t free_priority(const Machine& machine, std::uint8_t family) noexcept {
  std::uint32_t first = kFirstFreeRule;
  for (const Rule& rule : machine.rules) {
    if (rule.family == family && rule.priority != 0) first = std::min(first, rule.priority);
  }
  return first - 1;
}

// Two numbers that no other tunnel of ours has; the newest comes first.
std::uint32_t own_priority(const Machine& machine) noexcept {
  std::uint32_t priority = kRulesOfOurs;
  const auto taken = [&](const Rule& rule) {
    return rule.priority == priority || rule.priority == priority + 1;
  };
  while (std::any_of(machine.rules.begin(), machine.rules.end(), taken)) priority -= 2;
  return priority + 1;
}

// Of the rule into our table; the number before it is ours, too.
std::uint32_t priority_of(const Request& request, const Machine& machine,
                          std::uint8_t family) noexcept {
  const Numbers& numbers = request.numbers;
  const bool ipv4 = family == TUNNEL_FAMILY_IPV4;
  if (const auto kept = ipv4 ? numbers.priority4 : numbers.priority6; kept != 0) return kept;
  return request.scheme == Scheme::strict ? own_priority(machine) : free_priority(machine, family);
}

void add_wg_quick_default(const Request& request, const Choice& choice, const Machine& machine,
                          std::uint8_t family, Steps& steps) {
  const std::uint32_t priority = priority_of(request, machine, family);
  steps.push_back(RouteStep{everything(family), request.name, choice.table});
  RuleStep ours{family, priority, choice.table};
  ours.mark = choice.mark;
  ours.not_mark = true;
  steps.push_back(ours);
  RuleStep main_but_default{family, priority - 1, kMainTable};
  main_but_default.suppress_prefixlength = 0;
  steps.push_back(main_but_default);
}

void add_wg_quick(const Request& request, const Choice& choice, const Machine& machine,
                  Steps& steps) {
  if (request.table == Table::off) return;
  const bool automatic = request.table == Table::automatic;
  for (const tunnel_prefix& prefix : sorted_prefixes(request)) {
    if (!automatic) {
      steps.push_back(RouteStep{prefix, request.name, request.table_number});
    } else if (is_default(prefix)) {
      add_wg_quick_default(request, choice, machine, prefix.family, steps);
    } else if (!is_connected(request, prefix)) {
      steps.push_back(RouteStep{prefix, request.name});
    }
  }
}

// ---- our scheme

// Each once, also when several interfaces are in it, as all are in fe80::/64.
std::vector<tunnel_prefix> kept_networks(const Choice& choice, std::uint8_t family) {
  std::vector<tunnel_prefix> networks;
  for (const Exception& each : choice.exceptions) {
    if (each.prefix.family == family) push_once(each.prefix, networks);
  }
  return networks;
}

void add_strict_family(const Request& request, const Choice& choice, std::uint32_t priority,
                       std::uint8_t family, Steps& steps) {
  const std::size_t before_routes = steps.size();
  for (const tunnel_prefix& prefix : sorted_prefixes(request)) {
    if (prefix.family != family) continue;
    steps.push_back(RouteStep{prefix, request.name, choice.table});
  }
  if (blocks_ipv6(choice, family)) {
    RouteStep refused{everything(family), {}, choice.table};
    refused.unreachable = true;
    steps.push_back(refused);
  }
  if (steps.size() == before_routes) return;
  for (const tunnel_prefix& network : kept_networks(choice, family)) {
    RuleStep kept{family, priority - 1, kMainTable};
    kept.to = network;
    // By a route to itself or not at all: when its link is down, the default route would take its
    // packets to another uplink.
    if (network.length > 0) kept.suppress_prefixlength = network.length - 1u;
    steps.push_back(kept);
  }
  RuleStep ours{family, priority, choice.table};
  ours.mark = choice.mark;
  ours.not_mark = true;
  steps.push_back(ours);
}

void add_strict(const Request& request, const Choice& choice, const Machine& machine,
                Steps& steps) {
  for (const std::uint8_t family : kFamilies) {
    add_strict_family(request, choice, priority_of(request, machine, family), family, steps);
  }
}

// ---- split routes

// Each once: two peers may be behind one address, at different ports.
std::vector<tunnel_prefix> endpoint_prefixes(const Request& request) {
  std::vector<tunnel_prefix> prefixes;
  for (const tunnel_address& each : request.endpoints) push_once(host_prefix(each), prefixes);
  return prefixes;
}

// The way that an endpoint has now, fixed, so that the halves do not take it.
void add_endpoint_route(const tunnel_prefix& prefix, const Machine& machine, Steps& steps) {
  const Route* way = machine.route_to(prefix);
  if (way == nullptr || way->device.empty() || same_network(way->prefix, prefix)) return;
  RouteStep route{prefix, way->device};
  route.gateway = way->gateway;
  steps.push_back(route);
}

void add_halves(const Request& request, std::uint8_t family, bool refused, Steps& steps) {
  for (const std::uint8_t first : {std::uint8_t{0x00}, std::uint8_t{0x80}}) {
    RouteStep half{{family, 1, 0, 0, {}}, refused ? std::string() : request.name};
    half.prefix.bytes[0] = first;
    half.unreachable = refused;
    steps.push_back(half);
  }
}

void add_split(const Request& request, const Choice& choice, const Machine& machine, Steps& steps) {
  if (takes_everything(choice)) {
    for (const tunnel_prefix& each : endpoint_prefixes(request)) {
      add_endpoint_route(each, machine, steps);
    }
  }
  for (const tunnel_prefix& prefix : sorted_prefixes(request)) {
    if (!is_default(prefix) && !is_connected(request, prefix)) {
      steps.push_back(RouteStep{prefix, request.name});
    }
  }
  for (const std::uint8_t family : kFamilies) {
    const bool refused = blocks_ipv6(choice, family);
    if (takes(choice, family) || refused) add_halves(request, family, refused, steps);
  }
}

// ---- all together

void add_routes(const Request& request, const Choice& choice, const Machine& machine,
                Steps& steps) {
  switch (request.scheme) {
    case Scheme::wg_quick:
      return add_wg_quick(request, choice, machine, steps);
    case Scheme::strict:
      return add_strict(request, choice, machine, steps);
    case Scheme::split:
      return add_split(request, choice, machine, steps);
  }
}

// Uplinks answer who asks for the tunnel's address, unless told to answer for their own alone.
void add_client_sysctls(const Request& request, const Choice& choice, const Machine& machine,
                        Steps& steps) {
  const std::string folder = "net/ipv4/conf/";
  if (!is_guarded(request)) return;
  const auto all = machine.sysctl(folder + "all/arp_ignore");
  for (const std::string& uplink : choice.uplinks) {
    const std::string name = folder + uplink + "/arp_ignore";
    const auto now = machine.sysctl(name);
    // "1" may be so through another tunnel, which ends before us.
    if ((now == "0" || now == "1") && all == "0") {
      steps.push_back(SysctlStep{name, "1", is_optional_guard(request, choice)});
    }
  }
  const bool by_mark = choice.table != 0 && request.scheme != Scheme::split;
  const bool marked = by_mark && choice.strict_filter;
  if (marked) steps.push_back(SysctlStep{folder + "all/src_valid_mark", "1"});
}

}  // namespace

std::uint32_t chosen_mark(const Request& request, const Machine& machine) {
  return choose(request, machine).mark;
}

bool leads_everything(const std::vector<Step>& steps, const std::string& interface_name) {
  const auto is_asked = [&](std::uint8_t family, std::uint32_t table) {
    if (table == kMainTable) return true;
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
      const auto* rule = std::get_if<RuleStep>(&step);
      return rule != nullptr && rule->table == table && rule->family == family;
    });
  };
  std::array<unsigned, 2> halves{};  // by family; a default route is both
  for (const Step& step : steps) {
    const auto* route = std::get_if<RouteStep>(&step);
    if (route == nullptr || route->device != interface_name || route->prefix.length > 1) continue;
    if (!is_asked(route->prefix.family, route->table)) continue;
    halves[route->prefix.family == TUNNEL_FAMILY_IPV6] += is_default(route->prefix) ? 2u : 1u;
  }
  return halves[0] > 1 || halves[1] > 1;
}

Numbers chosen_numbers(const Request& request, const Machine& machine) {
  const Choice choice = choose(request, machine);
  Numbers numbers = request.numbers;
  numbers.uplinks = choice.uplinks;
  if (!needs_mark(request, choice)) return numbers;
  numbers.table = choice.table;
  numbers.priority4 = priority_of(request, machine, TUNNEL_FAMILY_IPV4);
  numbers.priority6 = priority_of(request, machine, TUNNEL_FAMILY_IPV6);
  return numbers;
}

std::vector<Step> plan_routing(const Request& request, const Machine& machine) {
  const Choice choice = choose(request, machine);
  Steps steps;
  if (request.kill_switch) {
    steps.push_back(TableStep{kBlockTable, block_table(request, choice, machine), true});
  }
  add_interface(request, machine, steps);
  const std::string table = tunnel_table(request, choice, machine);
  if (!table.empty()) {
    const bool optional = is_guarded(request) && is_optional_guard(request, choice);
    steps.push_back(TableStep{table_name(request.name), table, false, optional});
  }
  if (needs_arp_mark(request, choice)) {
    steps.push_back(TableStep{table_name(request.name), arp_table(choice), false, false, true});
  }
  add_client_sysctls(request, choice, machine, steps);
  add_routes(request, choice, machine, steps);
  const Steps forwarding = forwarding_steps(request, choice, machine);
  steps.insert(steps.end(), forwarding.begin(), forwarding.end());
  return steps;
}

}  // namespace tunnel::host
