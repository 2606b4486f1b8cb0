// checks.cpp - what can be seen without a packet: the file, the machine, the way.
#include "checks.h"

#include <algorithm>
#include <map>

namespace simplevpn::doctor {
namespace {

constexpr std::int64_t kLongAgo_s = 1'700'000'000;  // 2023: this program is younger

}  // namespace

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
  for (const std::string& warning : facts.file_warnings) {
    const bool mode = warning.find("other") != std::string::npos;
    findings.push_back({Level::warn, "file", warning, "",
                        mode ? "chmod 600 " + facts.file : "look at " + facts.file});
  }
  if (facts.file_warnings.empty()) {
    findings.push_back({Level::pass, "file", facts.file + " is sound and private", "", ""});
  }
}

void check_keys(const Facts& facts, Findings& findings) {
  for (const PeerFacts& peer : facts.peers) {
    if (peer.public_key != facts.public_key) continue;
    findings.push_back({Level::fail, "keys", "the peer " + peer.name + " has our own public key",
                        "PublicKey of a [Peer] is the other side's, not ours",
                        "ask " + peer.name + " for the output of: simplevpn pubkey"});
  }
}

void check_allowed_ips(const Facts& facts, Findings& findings) {
  std::map<std::string, const PeerFacts*> owners;
  for (const PeerFacts& peer : facts.peers) {
    if (peer.allowed.empty()) {
      findings.push_back({Level::warn, "allowed_ips", peer.name + " has no AllowedIPs",
                          "nothing is sent to it, and nothing it sends is accepted",
                          "give it AllowedIPs"});
    }
    for (const std::string& prefix : peer.allowed) {
      const auto [owner, is_first] = owners.emplace(prefix, &peer);
      if (is_first) continue;
      findings.push_back({Level::fail, "allowed_ips",
                          prefix + " belongs to " + owner->second->name + " and to " + peer.name,
                          "an address has one owner: the last one named gets it",
                          "take " + prefix + " from one of them"});
    }
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
  if (!facts.port_taken || facts.running) return;
  const std::string port = std::to_string(facts.port);
  findings.push_back({Level::fail, "port", "UDP port " + port + " is in use",
                      "another program has it", "ss -ulpn sport = :" + port});
}

void check_clock(const Facts& facts, Findings& findings) {
  if (facts.wall_s >= kLongAgo_s) return;
  findings.push_back({Level::fail, "clock", "the clock of this machine is years behind",
                      "a peer refuses handshakes that are older than the last one it saw",
                      "set the clock: timedatectl set-ntp true"});
}

void check_endpoints(const Facts& facts, Findings& findings) {
  for (const PeerFacts& peer : facts.peers) {
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

void check_reverse_path(const Facts& facts, Findings& findings) {
  if (facts.mark == 0 || !facts.strict_reverse_path || facts.marks_count_for_it) return;
  findings.push_back({Level::warn, "rp_filter", "the reverse path filter is strict",
                      "answers to marked datagrams are dropped by the kernel",
                      "sysctl -w net.ipv4.conf.all.src_valid_mark=1"});
}

Findings check_all(const Facts& facts) {
  Findings findings;
  for (const auto check :
       {check_file, check_keys, check_allowed_ips, check_privileges, check_port, check_clock,
        check_endpoints, check_reverse_path, check_handshakes, check_visitors}) {
    check(facts, findings);
  }
  return findings;
}

}  // namespace simplevpn::doctor
