// checks.cpp - what can be seen without a packet: the file, the machine, the way.
#include "checks.h"

#include <tunnel/host/text.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace simplevpn::doctor {
namespace {

constexpr std::int64_t kLongAgo_s = 1'700'000'000;  // 2023: this program is younger

struct Owned {
  tunnel_prefix prefix;  // without host bits
  std::string text;
  const PeerFacts* owner;
};

bool has_bit(const tunnel_prefix& prefix, std::size_t bit) {
  return (prefix.bytes[bit / 8] & (0x80u >> bit % 8)) != 0;
}

bool covers(const tunnel_prefix& outer, const tunnel_prefix& inner) {
  if (outer.family != inner.family || outer.length > inner.length) return false;
  for (std::size_t bit = 0; bit < outer.length; ++bit) {
    if (has_bit(outer, bit) != has_bit(inner, bit)) return false;
  }
  return true;
}

// A network stands directly before everything in it.
bool before(const Owned& a, const Owned& b) {
  if (a.prefix.family != b.prefix.family) return a.prefix.family < b.prefix.family;
  const int order = std::memcmp(a.prefix.bytes, b.prefix.bytes, sizeof a.prefix.bytes);
  return order != 0 ? order < 0 : a.prefix.length < b.prefix.length;
}

std::vector<Owned> sorted_prefixes(const std::vector<PeerFacts>& peers) {
  std::vector<Owned> all;
  for (const PeerFacts& peer : peers) {
    for (const std::string& text : peer.allowed) {
      Owned owned{{}, text, &peer};
      if (tunnel_prefix_from_text(text.data(), text.size(), &owned.prefix) != TUNNEL_OK) continue;
      for (std::size_t bit = owned.prefix.length; bit < 8 * sizeof owned.prefix.bytes; ++bit) {
        owned.prefix.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
      }
      all.push_back(std::move(owned));
    }
  }
  std::stable_sort(all.begin(), all.end(), before);
  return all;
}

Finding shared_prefix(const Owned& outer, const Owned& inner) {
  if (outer.prefix.length == inner.prefix.length) {
    return {Level::fail, "allowed_ips",
            inner.text + " belongs to " + outer.owner->name + " and to " + inner.owner->name,
            "an address has one owner: the last one named gets it",
            "take " + inner.text + " from one of them"};
  }
  return {Level::warn, "allowed_ips",
          inner.text + " of " + inner.owner->name + " lies in " + outer.text + " of " +
              outer.owner->name,
          "the longer prefix wins: " + outer.owner->name + " neither gets nor may send from it",
          "if that is not meant, narrow AllowedIPs = " + outer.text};
}

// A tunnel that runs has what is left when the file's faults were obeyed, so the file is looked at.
const std::vector<PeerFacts>& written(const Facts& facts) {
  return facts.file_peers.empty() ? facts.peers : facts.file_peers;
}

bool has_prefix(const std::vector<PeerFacts>& peers, const char* text) {
  return std::any_of(peers.begin(), peers.end(), [&](const PeerFacts& peer) {
    return std::find(peer.allowed.begin(), peer.allowed.end(), text) != peer.allowed.end();
  });
}

}  // namespace

bool Facts::takes_ipv4() const {
  return has_prefix(peers, "0.0.0.0/0") ||
         (has_prefix(peers, "0.0.0.0/1") && has_prefix(peers, "128.0.0.0/1"));
}

bool Facts::takes_ipv6() const {
  return has_prefix(peers, "::/0") || (has_prefix(peers, "::/1") && has_prefix(peers, "8000::/1"));
}

bool Facts::is_about(const PeerFacts& one) const {
  return only_peer.empty() || one.name == only_peer || one.public_key == only_peer;
}

bool Facts::is_left() const {
  const auto has_name = [this](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return has_name(left.blocks) || has_name(left.settings);
}

bool Facts::is_server() const {
  return std::any_of(peers.begin(), peers.end(),
                     [](const PeerFacts& peer) { return peer.endpoint.empty(); });
}

void check_file(const Facts& facts, Findings& findings) {
  if (facts.file.empty()) return;
  if (!facts.file_error.empty()) {
    findings.push_back(
        {Level::fail, "file", facts.file_error, "the file is wrong", "correct " + facts.file});
    return;
  }
  for (const FileWarning& warning : facts.file_warnings) {
    findings.push_back({Level::warn, "file", warning.message, "",
                        warning.hint.empty() ? "look at " + facts.file : warning.hint});
  }
  if (facts.file_warnings.empty()) {
    findings.push_back({Level::pass, "file", facts.file + " is sound and private", "", ""});
  }
}

void check_keys(const Facts& facts, Findings& findings) {
  for (const PeerFacts& peer : written(facts)) {
    if (peer.public_key != facts.public_key) continue;
    findings.push_back({Level::fail, "keys", "the peer " + peer.name + " has our own public key",
                        "PublicKey of a [Peer] is the other side's, not ours",
                        "ask " + peer.name + " for the output of: simplevpn pubkey"});
  }
}

void check_allowed_ips(const Facts& facts, Findings& findings) {
  for (const PeerFacts& peer : written(facts)) {
    if (!peer.allowed.empty()) continue;
    findings.push_back({Level::warn, "allowed_ips", peer.name + " has no AllowedIPs",
                        "nothing is sent to it, and nothing it sends is accepted",
                        "give it AllowedIPs"});
  }
  std::vector<const Owned*> around;  // each covers the next
  const std::vector<Owned> all = sorted_prefixes(written(facts));
  for (const Owned& each : all) {
    while (!around.empty() && !covers(around.back()->prefix, each.prefix)) around.pop_back();
    if (!around.empty() && around.back()->owner != each.owner) {
      findings.push_back(shared_prefix(*around.back(), each));
    }
    around.push_back(&each);
  }
}

void check_daemon(const Facts& facts, Findings& findings) {
  if (!facts.hangs) return;
  findings.push_back({Level::fail, "daemon", facts.name + " runs and does not answer",
                      "the process that moves its packets is stopped, or hangs",
                      "simplevpn down " + facts.name + "; then start it again"});
}

namespace {

Finding left_block(const Facts& facts, const std::string& name) {
  Finding finding{Level::fail, "block", name + " does not run, and all traffic is blocked",
                  "its kill switch outlives the daemon, on purpose", "simplevpn unblock " + name};
  if (name != facts.name) return finding;
  finding.fix = "simplevpn client --kill-switch " + (facts.file.empty() ? name : facts.file) +
                "; or, to do without: simplevpn unblock " + name;
  return finding;
}

}  // namespace

// Also of other tunnels: what they left is in the way of this one.
void check_left(const Facts& facts, Findings& findings) {
  for (const std::string& name : facts.left.blocks) {
    findings.push_back(left_block(facts, name));
  }
  for (const std::string& name : facts.left.settings) {
    findings.push_back({Level::fail, "left_over",
                        name + " does not run, and what it set on this machine is left",
                        "its daemon was killed: rules, kernel settings and name servers of a "
                        "tunnel that is gone are still in force",
                        "simplevpn down --cleanup " + name});
  }
}

void check_privileges(const Facts& facts, Findings& findings) {
  if (facts.running) return;
  if (!facts.may_administrate) {
    findings.push_back({Level::warn, "privileges", "CAP_NET_ADMIN is missing here",
                        "an interface cannot be made without it", "run it as root: sudo"});
  }
  if (!facts.tun_error.empty()) {
    findings.push_back({Level::fail, "tun", "/dev/net/tun cannot be used: " + facts.tun_error,
                        "the kernel module is missing, or the container has no such device",
                        "modprobe tun; in a container: --device=/dev/net/tun"});
  }
}

void check_port(const Facts& facts, Findings& findings) {
  if (!facts.port_taken) return;
  const std::string port = std::to_string(facts.port);
  findings.push_back({Level::fail, "port", "UDP port " + port + " is in use",
                      "another program has it", "ss -ulpn sport = :" + port});
}

void check_clock(const Facts& facts, Findings& findings) {
  for (const PeerFacts& peer : facts.peers) {
    if (!peer.ahead) continue;
    findings.push_back({Level::fail, "clock",
                        "the last handshake with " + peer.name + " is in the future",
                        "the clock of this machine was set back: once the tunnel is started anew, "
                        "peers refuse its handshakes until their time has come again",
                        "set the clock: timedatectl set-ntp true"});
    return;
  }
  if (facts.wall_s >= kLongAgo_s) return;
  findings.push_back({Level::fail, "clock", "the clock of this machine is years behind",
                      "a peer refuses handshakes that are older than the last one it saw",
                      "set the clock: timedatectl set-ntp true"});
}

void check_ipv6_off(const Facts& facts, Findings& findings) {
  if (!facts.wants_ipv6 || !facts.ipv6_off) return;
  findings.push_back({Level::fail, "ipv6", "Address is of IPv6, which is off on this machine",
                      "net.ipv6.conf.all.disable_ipv6 is 1; the kernel refuses the address",
                      "sysctl -w net.ipv6.conf.all.disable_ipv6=0; or take it out of Address"});
}

void check_endpoints(const Facts& facts, Findings& findings) {
  for (const PeerFacts& peer : facts.peers) {
    if (!facts.is_about(peer)) continue;
    if (!peer.not_found.empty()) {
      findings.push_back({Level::fail, "endpoint",
                          peer.endpoint + " of " + peer.name + " has no address: " + peer.not_found,
                          "the name is wrong, or no name server answers",
                          "getent ahosts " + peer.endpoint.substr(0, peer.endpoint.rfind(':'))});
    }
    if (!peer.loops) continue;
    findings.push_back(
        {Level::fail, "route",
         "the way to " + peer.endpoint + " of " + peer.name + " leads into the tunnel itself",
         "AllowedIPs cover the endpoint, and nothing takes our datagrams past them",
         "use simplevpn client, or take the endpoint out of AllowedIPs"});
  }
}

void check_ways_left_out(const Facts& facts, Findings& findings) {
  if (facts.not_looked_at == 0) return;
  findings.push_back(
      {Level::warn, "endpoint",
       "the ways to " + std::to_string(facts.not_looked_at) + " more peers were not looked at",
       "each may take a second", "simplevpn doctor " + facts.name + " --peer PEER"});
}

void check_reverse_path(const Facts& facts, Findings& findings) {
  const bool harmless = facts.mark == 0 || !facts.strict_reverse_path || facts.marks_count_for_it;
  if (harmless) return;
  findings.push_back({Level::warn, "rp_filter", "the reverse path filter is strict",
                      "answers to marked datagrams are dropped by the kernel",
                      "sysctl -w net.ipv4.conf.all.src_valid_mark=1"});
}

Findings check_machine(const Facts& facts) {
  Findings findings;
  for (const auto check : {check_left, check_privileges, check_clock}) check(facts, findings);
  if (findings.empty()) {
    findings.push_back({Level::pass, "machine",
                        "tunnels can be made, and nothing is left of one that does not run", "",
                        ""});
  }
  return findings;
}

Findings check_all(const Facts& facts) {
  Findings findings;
  for (const auto check :
       {check_file,        check_keys,       check_allowed_ips,   check_daemon,
        check_left,        check_privileges, check_port,          check_clock,
        check_ipv6_off,    check_endpoints,  check_ways_left_out, check_reverse_path,
        check_mtu,         check_in_force,   check_forwarding,    check_scheme,
        check_kill_switch, check_ipv6_leak,  check_names,         check_handshakes,
        check_data,        check_visitors}) {
    check(facts, findings);
  }
  return findings;
}

}  // namespace simplevpn::doctor
