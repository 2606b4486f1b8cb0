#include "host/routing/server.h"

#include <algorithm>

#include "host/routing/filter_text.h"

namespace tunnel::host {
namespace {

// The interface between which and the tunnel packets pass: to the Internet, or to those who share.
std::string partner(const Request& request, const Choice& choice) {
  if (!request.share.empty()) return request.share;
  if (!request.server) return {};
  if (!request.nat.empty()) return request.nat;
  return choice.uplink;
}

// Source ports for UDP that is masqueraded: never our own listen port, because who had it would be
// sent the datagrams of our clients (port shadowing, CVE-2021-3773). The larger side of it.
std::string shadow_free_ports(std::uint16_t port) {
  constexpr unsigned kFirst = 1024;
  constexpr unsigned kLast = 65535;
  if (port > (kFirst + kLast) / 2) {
    return ":" + std::to_string(kFirst) + "-" + std::to_string(port - 1);
  }
  const unsigned first = std::max<unsigned>(kFirst, port + 1u);
  return ":" + std::to_string(first) + "-" + std::to_string(kLast);
}

// Who is in the tunnel is called by nobody outside, unless somebody forwards a port on purpose.
void add_server_forward(const Request& request, const std::string& uplink, ChainText& chain) {
  const std::string tunnel = quoted(request.name);
  if (!request.client_to_client) {
    chain.rule("iifname " + tunnel + " oifname " + tunnel + " drop");
  }
  if (uplink.empty()) return;
  chain.rule("iifname " + quoted(uplink) + " oifname " + tunnel +
             " ct state new ct status & dnat == 0 drop");
}

// Whom we take along is called by nobody from inside the tunnel.
void add_share_forward(const Request& request, ChainText& chain) {
  chain.rule("iifname " + quoted(request.name) + " oifname " + quoted(request.share) +
             " ct state new drop");
}

std::string nat_chain(const Request& request, const std::string& in, const std::string& out) {
  ChainText chain("nat", "nat hook postrouting priority srcnat");
  const std::string way = "iifname " + quoted(in) + " oifname " + quoted(out) + " ";
  // A server's public IPv6 addresses need no translation; behind a client everybody does.
  const std::string who = request.server ? "ip6 saddr fc00::/7 " : "meta nfproto ipv6 ";
  const std::string udp = "meta l4proto udp masquerade to " + shadow_free_ports(request.port);
  for (const std::string& family : {std::string("meta nfproto ipv4 "), who}) {
    if (request.server) chain.rule(way + family + udp);
    chain.rule(way + family + "masquerade");
  }
  return chain.text();
}

// ---- kernel settings

// Also when it is so already: it may be so through another tunnel, which ends before us.
void add_sysctl(const std::string& name, const char* value, std::vector<Step>& steps) {
  steps.push_back(SysctlStep{name, value});
}

bool has_advertised_default(const Machine& machine, const std::string& link) {
  return std::any_of(machine.routes.begin(), machine.routes.end(), [&](const Route& route) {
    return route.advertised && route.device == link && is_default(route.prefix);
  });
}

bool wants_ipv6(const Request& request, const Choice& choice) {
  const auto& addresses = request.addresses;
  return choice.ipv6 && std::any_of(addresses.begin(), addresses.end(), [](const auto& each) {
           return each.family == TUNNEL_FAMILY_IPV6;
         });
}

// A host that forwards forgets what routers advertise, unless accept_ra says 2: first that.
void add_ipv6(const Request& request, const std::string& other, const Machine& machine,
              std::vector<Step>& steps) {
  const std::string folder = "net/ipv6/conf/";
  for (const Link& link : machine.links) {
    if (!has_advertised_default(machine, link.name)) continue;
    add_sysctl(folder + link.name + "/accept_ra", "2", steps);
  }
  if (!machine.sysctl(folder + "all/force_forwarding") &&
      !machine.sysctl(folder + "default/force_forwarding")) {
    return add_sysctl(folder + "all/forwarding", "1", steps);
  }
  for (const std::string& link : {request.name, other}) {
    add_sysctl(folder + link + "/force_forwarding", "1", steps);
  }
}

// ---- chains of others

bool concerns(const ForwardChain& chain, const Request& request) {
  if (chain.family == "inet") return true;
  const std::uint8_t family = chain.family == "ip" ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
  return std::any_of(request.addresses.begin(), request.addresses.end(),
                     [&](const tunnel_prefix& address) { return address.family == family; });
}

// Our way out, and the way back of what went out by it.
void add_foreign(const Request& request, const std::string& other, const ForwardChain& chain,
                 std::vector<Step>& steps) {
  const std::string tunnel = quoted(request.name);
  const bool out = request.server;
  const std::string from = out ? tunnel : quoted(other);
  const std::string to = out ? quoted(other) : tunnel;
  const std::string comment = "simplevpn " + request.name;
  steps.push_back(ForeignRuleStep{chain.family, chain.table, chain.chain,
                                  "iifname " + from + " oifname " + to + " accept",
                                  comment + " out"});
  steps.push_back(
      ForeignRuleStep{chain.family, chain.table, chain.chain,
                      "iifname " + to + " oifname " + from + " ct state established,related accept",
                      comment + " back"});
}

}  // namespace

std::string forwarding_chains(const Request& request, const Choice& choice) {
  const std::string other = partner(request, choice);
  if (!request.server && other.empty()) return {};
  ChainText forward("forward", "filter hook forward priority filter");
  if (request.server) {
    add_server_forward(request, is_plain(other) ? other : "", forward);
  } else {
    add_share_forward(request, forward);
  }
  ChainText mss("mss", "filter hook forward priority mangle");
  mss.rule("oifname " + quoted(request.name) +
           " tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu");
  std::string text = forward.empty() ? std::string() : forward.text();
  text += mss.text();
  if (!is_plain(other)) return text;
  return text + (request.server ? nat_chain(request, request.name, other)
                                : nat_chain(request, other, request.name));
}

std::vector<Step> forwarding_steps(const Request& request, const Choice& choice,
                                   const Machine& machine) {
  std::vector<Step> steps;
  const std::string other = partner(request, choice);
  if (!request.server && other.empty()) return steps;
  const std::string folder = "net/ipv4/conf/";
  add_sysctl(folder + request.name + "/forwarding", "1", steps);
  if (other.empty()) return steps;
  add_sysctl(folder + other + "/forwarding", "1", steps);
  if (wants_ipv6(request, choice)) add_ipv6(request, other, machine, steps);
  if (!request.foreign_rules || !is_plain(other)) return steps;
  for (const ForwardChain& chain : machine.forward_chains) {
    if (concerns(chain, request)) add_foreign(request, other, chain, steps);
  }
  return steps;
}

}  // namespace tunnel::host
