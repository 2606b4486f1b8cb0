#include "host/routing/filter.h"

#include <algorithm>

#include "host/routing/filter_text.h"
#include "host/routing/server.h"

namespace tunnel::host {
namespace {

// Before conntrack looks, so that a guess by a neighbour leaves no trace (CVE-2019-14899). A server
// answers its own network, but nobody there speaks in a client's name.
void add_guard(const Request& request, const Choice& choice, std::string& text) {
  ChainText chain("guard", "filter hook prerouting priority raw");
  const std::string outside = "iifname != " + quoted(request.name) + " ";
  if (is_guarded(request)) {
    for (const tunnel_prefix& address : request.addresses) {
      chain.rule(outside + std::string(family_word(address.family)) + " daddr " +
                 bare_address(address) + " fib saddr type != local drop");
    }
  } else if (!takes_everything(choice)) {
    chain.rule(outside + "fib saddr oifname " + quoted(request.name) + " drop");
  }
  if (!chain.empty()) text += chain.text();
}

// Ports from which programs call others; a server listens elsewhere.
std::string caller_ports(const Machine& machine) {
  std::string range = machine.sysctl("net/ipv4/ip_local_port_range").value_or("32768 60999");
  std::replace_if(
      range.begin(), range.end(), [](char c) { return c == ' ' || c == '\t'; }, '-');
  return range;
}

// Who called us by an uplink is answered by it: his connection carries our mark. A connection that
// conntrack did not see begin is a call to us when our port is none that callers have.
void add_callers(const Choice& choice, const Machine& machine, ChainText& chain) {
  const std::string uplinks = link_set(choice.uplinks);
  if (uplinks.empty()) return;
  const std::string ports = caller_ports(machine);
  const std::string fresh = "iifname " + uplinks + " ct direction original ct mark 0 ";
  const std::string set = " ct mark set " + std::to_string(choice.mark);
  chain.rule(fresh + "tcp flags & (fin | syn | rst | ack) == syn" + set);
  chain.rule(fresh + "tcp dport != " + ports + set);
  chain.rule(fresh + "udp dport != " + ports + set);
  chain.rule(fresh + "meta l4proto { icmp, ipv6-icmp }" + set);
  chain.rule("iifname " + uplinks + " ct direction original ct mark " +
             std::to_string(choice.mark) + " fib daddr type local meta mark set ct mark");
}

void add_answers(const Choice& choice, const Machine& machine, std::string& text) {
  const std::string mark = std::to_string(choice.mark);
  ChainText chain("answers", "route hook output priority mangle");
  chain.rule("ct mark 0 ct state new tcp flags & (syn | rst) == 0 tcp sport != " +
             caller_ports(machine) + " ct mark set " + mark);
  chain.rule("ct mark " + mark + " meta mark set ct mark");
  text += chain.text();
}

// The mark of our datagrams comes back with what answers them: a strict rp_filter looks for the way
// back by the mark.
void add_marks(const Request& request, const Choice& choice, const Machine& machine,
               std::string& text) {
  const bool callers = request.scheme == Scheme::strict && !request.kill_switch;
  if (!callers && !choice.strict_filter && request.scheme != Scheme::wg_quick) return;
  const std::string mark = std::to_string(choice.mark);
  ChainText incoming("incoming", "filter hook prerouting priority mangle");
  if (callers) add_callers(choice, machine, incoming);
  incoming.rule(std::string(callers ? "ct direction reply" : "meta l4proto udp") + " ct mark " +
                mark + " meta mark set ct mark");
  ChainText outgoing("outgoing", "filter hook postrouting priority mangle");
  outgoing.rule("meta l4proto udp meta mark " + mark + " ct mark set meta mark");
  text += incoming.text();
  if (callers) add_answers(choice, machine, text);
  text += outgoing.text();
}

// ---- split routes

// A route of ours to an endpoint is for our own datagrams: what others send there, to another port
// or by another protocol, would go outside by it (TunnelCrack's ServerIP).
void add_endpoints(const Request& request, const Choice& choice, const Machine& machine,
                   std::string& text) {
  ChainText output("endpoints", "filter hook output priority filter");
  ChainText forward("passing", "filter hook forward priority filter");
  const std::string ours = "meta mark " + std::to_string(choice.mark) + " udp dport ";
  std::vector<std::string> refusals;  // after what is ours: two peers may have one address
  for (const tunnel_address& each : request.endpoints) {
    const Route* way = machine.route_to(host_prefix(each));
    if (way == nullptr || !is_default(way->prefix)) continue;
    const std::string there = "oifname != " + quoted(request.name) + " " +
                              std::string(family_word(each.family)) + " daddr " +
                              bare_address(each) + " ";
    output.rule(there + ours + std::to_string(each.port) + " accept");
    refusals.push_back(there + "reject with icmpx admin-prohibited");
  }
  if (refusals.empty()) return;
  // Without that route, after a change of the uplink, they would go around inside for ever.
  output.rule("oifname " + quoted(request.name) + " meta mark " + std::to_string(choice.mark) +
              " drop");
  for (const std::string& refusal : refusals) {
    output.rule(refusal);
    forward.rule(refusal);
  }
  text += output.text() + forward.text();
}

// ---- the block

void add_pairs(const char* name, std::uint8_t family, const std::vector<tunnel_address>& all,
               std::string& text) {
  std::string elements;
  for (const tunnel_address& each : all) {
    if (each.family != family) continue;
    elements += elements.empty() ? "" : ", ";
    elements += bare_address(each) + " . " + std::to_string(each.port);
  }
  text += "\tset " + std::string(name) + " {\n\t\ttype " +
          (family == TUNNEL_FAMILY_IPV4 ? "ipv4_addr" : "ipv6_addr") + " . inet_service\n";
  if (!elements.empty()) text += "\t\telements = { " + elements + " }\n";
  text += "\t}\n";
}

std::vector<tunnel_address> with_port(std::vector<tunnel_address> all, std::uint16_t port) {
  for (tunnel_address& each : all) each.port = port;
  return all;
}

// By interface and network: a network alone could be anybody's.
void allow_exceptions(const Choice& choice, ChainText& chain) {
  for (const Exception& each : choice.exceptions) {
    if (!is_plain(each.link)) continue;
    chain.rule("oifname " + quoted(each.link) + " " + std::string(family_word(each.prefix.family)) +
               " daddr " + network_text(each.prefix) + " accept");
  }
}

// Who is beside us is asked and told by links and networks of ours alone: to anywhere else these
// are packets like others. A server of DHCP that is farther away is found again by broadcast.
void allow_neighbours(const Request& request, const Machine& machine, ChainText& chain) {
  const std::string found = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ";
  const std::string near = "ip6 hoplimit 255 ip6 daddr ";
  const std::string leased = "udp sport 68 udp dport 67 ip daddr ";
  chain.rule("icmpv6 type nd-router-solicit " + near + "{ fe80::/10, ff02::/16 } accept");
  chain.rule(found + near + "{ fe80::/10, ff02::/16 } accept");
  chain.rule("udp sport 546 udp dport 547 ip6 daddr { fe80::/10, ff02::1:2 } accept");
  chain.rule(leased + "255.255.255.255 accept");
  for (const LinkAddress& each : machine.addresses) {
    const Link* link = machine.link(each.link);
    if (link == nullptr || link->loopback || link->name == request.name) continue;
    if (!is_plain(each.link) || is_link_local(each.address)) continue;
    const bool ipv4 = each.address.family == TUNNEL_FAMILY_IPV4;
    chain.rule("oifname " + quoted(each.link) + " " + (ipv4 ? leased : found + near) +
               network_text(each.address) + " accept");
  }
}

std::string block_output(const Request& request, const Choice& choice, const Machine& machine) {
  const std::string ours = "meta mark " + std::to_string(choice.mark) + " meta l4proto ";
  ChainText chain("output", "filter hook output priority filter", "drop");
  chain.rule("oifname \"lo\" accept");
  chain.rule("oifname " + quoted(request.name) + " accept");
  allow_neighbours(request, machine, chain);
  chain.rule(ours + "udp ip daddr . udp dport @endpoints4 accept");
  chain.rule(ours + "udp ip6 daddr . udp dport @endpoints6 accept");
  chain.rule(ours + "{ tcp, udp } ip daddr . th dport @resolvers4 accept");
  chain.rule(ours + "{ tcp, udp } ip6 daddr . th dport @resolvers6 accept");
  allow_exceptions(choice, chain);
  return chain.text();
}

std::string block_forward(const Request& request, const Choice& choice) {
  ChainText chain("forward", "filter hook forward priority filter", "drop");
  chain.rule("oifname " + quoted(request.name) + " accept");
  chain.rule("iifname " + quoted(request.name) + " ct state established,related accept");
  allow_exceptions(choice, chain);
  return chain.text();
}

}  // namespace

std::string table_name(const std::string& tunnel) {
  std::string name = "ltun_";
  for (const char c : tunnel) {
    if (c == '=') {
      name += "/e";
    } else if (c == '+') {
      name += "/p";
    } else {
      name += c;
    }
  }
  return name;
}

std::string tunnel_table(const Request& request, const Choice& choice, const Machine& machine) {
  std::string text;
  add_guard(request, choice, text);
  if (request.scheme == Scheme::split) {
    add_endpoints(request, choice, machine, text);
  } else if (choice.table != 0 && needs_mark(request, choice)) {
    add_marks(request, choice, machine, text);
  }
  text += forwarding_chains(request, choice);
  return text;
}

bool needs_arp_mark(const Request& request, const Choice& choice) noexcept {
  return choice.table != 0 && choice.strict_filter && request.scheme == Scheme::strict;
}

std::string arp_table(const Choice& choice) {
  ChainText chain("incoming", "filter hook input priority filter");
  chain.rule("meta mark set " + std::to_string(choice.mark));
  return chain.text();
}

std::string block_table(const Request& request, const Choice& choice, const Machine& machine) {
  constexpr std::uint16_t kDnsPort = 53;
  const auto resolvers = with_port(request.resolvers, kDnsPort);
  // The table's own: it is left when somebody flushes the rules.
  std::string text = "\tcomment " + quoted(kBlockComment + request.name) + "\n";
  add_pairs("endpoints4", TUNNEL_FAMILY_IPV4, request.endpoints, text);
  add_pairs("endpoints6", TUNNEL_FAMILY_IPV6, request.endpoints, text);
  add_pairs("resolvers4", TUNNEL_FAMILY_IPV4, resolvers, text);
  add_pairs("resolvers6", TUNNEL_FAMILY_IPV6, resolvers, text);
  return text + block_output(request, choice, machine) + block_forward(request, choice);
}

}  // namespace tunnel::host
