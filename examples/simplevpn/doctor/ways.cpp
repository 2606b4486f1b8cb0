// ways.cpp - where packets go while the tunnel runs: what fits, what is still in force, what leaks.
#include <algorithm>
#include <map>

#include "checks.h"

namespace simplevpn::doctor {
namespace {

// Outside of an inside packet: IP, UDP, WireGuard's header and tag.
constexpr std::uint32_t kHeader4 = 60;
constexpr std::uint32_t kHeader6 = 80;

std::uint32_t header_for(const PeerFacts& peer) {
  return peer.endpoint.starts_with('[') ? kHeader6 : kHeader4;
}

std::string file_or_name(const Facts& facts) {
  return facts.file.empty() ? facts.name : facts.file;
}

bool is_client(const Facts& facts) {
  return facts.running && facts.takes_everything() && !facts.in_force.translates;
}

std::string server_list(const Facts& facts, bool local) {
  std::string text;
  for (const NameServer& server : facts.name_servers) {
    if (server.inside || server.local != local) continue;
    text += (text.empty() ? "" : ", ") + server.address;
  }
  return text;
}

}  // namespace

void check_mtu(const Facts& facts, Findings& findings) {
  if (facts.mtu == 0) return;
  for (const PeerFacts& peer : facts.peers) {
    if (peer.path_mtu == 0) continue;
    const std::uint32_t header = header_for(peer);
    const std::string way =
        "the way to " + peer.endpoint + " carries " + std::to_string(peer.path_mtu) + " bytes";
    if (facts.mtu + header <= peer.path_mtu) {
      findings.push_back({Level::pass, "mtu",
                          way + ", enough for the tunnel's " + std::to_string(facts.mtu), "", ""});
      continue;
    }
    const std::string fits = std::to_string(peer.path_mtu - std::min(header, peer.path_mtu));
    findings.push_back(
        {Level::warn, "mtu",
         way + ", and a full packet of the tunnel needs " + std::to_string(facts.mtu + header),
         "large packets are sent in fragments, which are slow and often lost: small things work, "
         "large ones stall",
         "ip link set dev " + facts.name + " mtu " + fits + "; and MTU = " + fits +
             " in [Interface], on both sides"});
  }
}

void check_in_force(const Facts& facts, Findings& findings) {
  if (!facts.running) return;
  for (const std::string& command : facts.in_force.undone) {
    findings.push_back({Level::fail, "settings", "no longer in force: " + command,
                        "another program has changed it since the tunnel is up", command});
  }
  if (facts.in_force.known && facts.in_force.undone.empty()) {
    findings.push_back({Level::pass, "settings", "what the tunnel set is in force", "", ""});
  }
}

void check_forwarding(const Facts& facts, Findings& findings) {
  if (!facts.running || !facts.in_force.translates) return;
  for (const std::string& command : facts.refusing_chains) {
    findings.push_back({Level::fail, "forwarding",
                        "what clients send on is dropped by a packet filter chain of others",
                        "an accept of ours elsewhere does not count there; it came after the "
                        "tunnel, or --no-foreign-rules was asked for",
                        command});
  }
  if (facts.refusing_chains.empty()) {
    findings.push_back({Level::pass, "forwarding", "packets are forwarded and translated", "", ""});
  }
}

void check_scheme(const Facts& facts, Findings& findings) {
  const std::uint32_t scheme = facts.in_force.scheme;
  const bool overridden = scheme == TUNNEL_SCHEME_WG_QUICK || scheme == TUNNEL_SCHEME_SPLIT;
  const bool weak = facts.in_force.known ? overridden : facts.led_by_others();
  if (!is_client(facts) || !weak) return;
  findings.push_back({Level::warn, "scheme",
                      "a more specific route of others wins over the tunnel's",
                      "with the routes of wg-quick, or 0/1 and 128/1, whoever runs DHCP on the "
                      "local network may lead traffic past the tunnel (TunnelVision)",
                      "simplevpn client " + file_or_name(facts)});
}

void check_kill_switch(const Facts& facts, Findings& findings) {
  if (!is_client(facts) || !(facts.in_force.known || facts.led_by_others())) return;
  if (!facts.left.blocks.empty()) return;  // another's block is in force, and named above
  if (facts.in_force.kill_switch) {
    findings.push_back({Level::pass, "kill_switch", "nothing leaves beside the tunnel", "", ""});
    return;
  }
  findings.push_back({Level::warn, "kill_switch", "no kill switch",
                      "when the daemon dies, everything leaves unencrypted again, as with wg-quick",
                      "simplevpn client --kill-switch " + file_or_name(facts)});
}

void check_ipv6_leak(const Facts& facts, Findings& findings) {
  const bool leaks = is_client(facts) && facts.takes_ipv4() && !facts.takes_ipv6() &&
                     facts.ipv6_outside && !facts.in_force.kill_switch;
  if (!leaks) return;
  findings.push_back({Level::fail, "ipv6_leak", "IPv6 leaves beside the tunnel",
                      "AllowedIPs take all of IPv4 and nothing of IPv6, and nothing blocks it",
                      "simplevpn client " + file_or_name(facts) +
                          " refuses it; or ::/0 in AllowedIPs, where the server carries IPv6"});
}

void check_names(const Facts& facts, Findings& findings) {
  if (!is_client(facts)) return;
  const std::string outside = server_list(facts, false);
  const std::string stubs = server_list(facts, true);
  const bool set = facts.in_force.dns_backend != 0;
  const bool wanted = set || facts.wants_names;
  if (!outside.empty()) {
    findings.push_back({wanted ? Level::fail : Level::warn, "dns_leak",
                        "names are asked outside the tunnel, of " + outside,
                        wanted ? "the name servers of the file are not the ones that are asked"
                               : "the tunnel carries everything but names: its file has no DNS",
                        wanted ? "simplevpn down " + facts.name + "; then start it again"
                               : "put DNS = ADDRESS, of a server inside, into [Interface]"});
  } else if (!stubs.empty() && !set) {
    findings.push_back({Level::warn, "dns_leak",
                        "names are asked of " + stubs + " on this machine, which may ask outside",
                        "a local resolver knows name servers of its own, and the file has no DNS",
                        "put DNS = ADDRESS, of a server inside, into [Interface]"});
  } else if (!facts.name_servers.empty()) {
    const std::string by = set ? ", set by " + dns_word(facts.in_force.dns_backend) : "";
    findings.push_back({Level::pass, "dns", "names are asked inside the tunnel" + by, "", ""});
  }
}

}  // namespace simplevpn::doctor
