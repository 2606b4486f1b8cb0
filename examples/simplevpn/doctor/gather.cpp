#include "gather.h"

#include <algorithm>

#include "../format.h"
#include "../status.h"
#include "../target.h"
#include "machine.h"
#include "probe.h"
#include "way.h"

namespace simplevpn::doctor {
namespace {

constexpr int kProbePatience_ms = 6000;  // one initiation, and the one after it five seconds later
constexpr int kMostNotices = 4096;       // of a daemon, which keeps fewer
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kWays = 8;  // that are looked at; each may take a second

// ---- the file ----

void read_peer(const tunnel_config_peer& peer, Facts& facts) {
  PeerFacts out;
  out.public_key = public_key_text(peer.public_key);
  out.name = peer.name[0] != '\0' ? peer.name : out.public_key;
  if (peer.host[0] != '\0') out.endpoint = std::string(peer.host) + ":" + std::to_string(peer.port);
  if (peer.endpoint.family != TUNNEL_FAMILY_NONE) out.endpoint = address_text(peer.endpoint);
  for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
    out.allowed.push_back(prefix_text(peer.allowed_ips[i]));
  }
  facts.peers.push_back(std::move(out));
}

void read_interface(const tunnel_config* config, Facts& facts) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  tunnel_config_get_interface(config, &interface);
  facts.port = interface.port;
  facts.mark = interface.fwmark;
  facts.mtu = interface.mtu;
  facts.wants_names = interface.dns_server_count != 0;
  facts.wants_ipv6 = std::any_of(
      interface.addresses, interface.addresses + interface.address_count,
      [](const tunnel_prefix& address) { return address.family == TUNNEL_FAMILY_IPV6; });
  std::uint8_t key[TUNNEL_KEY_SIZE];
  const bool has_key = interface.private_key != nullptr &&
                       tunnel_key_public(interface.private_key, key) == TUNNEL_OK;
  if (has_key) facts.public_key = public_key_text(key);
}

void read_peers(const tunnel_config* config, Facts& facts) {
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK; ++i) {
    read_peer(peer, facts);
    facts.peers.back().line = peer.line;
  }
  facts.file_peers = facts.peers;
}

// The last owner of a prefix has it alone, and who wrote it twice meant something else. The former
// one gets it back here.
void give_back(const tunnel_config_issue& move, std::vector<PeerFacts>& peers) {
  for (PeerFacts& peer : peers) {
    if (peer.line == move.former_line) peer.allowed.push_back(prefix_text(move.prefix));
  }
}

ConfigHandle read_file(const std::string& path, Facts& facts) {
  facts.file = path;
  tunnel_config* config = nullptr;
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  const std::int32_t status = tunnel_config_read(path.c_str(), &config, &issue);
  ConfigHandle owner(config);
  if (status != TUNNEL_OK) {
    facts.file_error = issue.line == 0
                           ? std::string(tunnel_status_text(status))
                           : "line " + std::to_string(issue.line) + ": " + issue.message;
    return owner;
  }
  read_interface(config, facts);
  read_peers(config, facts);
  for (std::size_t i = 0; tunnel_config_warning(config, i, &issue) == TUNNEL_OK; ++i) {
    if (issue.former_line != 0) {
      give_back(issue, facts.file_peers);
    } else {
      facts.file_warnings.push_back({issue.message, issue.hint});
    }
  }
  return owner;
}

// ---- the tunnel that runs ----

// "HOST: why", or "".
void read_fault(const std::string& fault, PeerFacts& peer) {
  const std::size_t colon = fault.find(": ");
  if (colon == fault.npos) return;
  peer.endpoint = fault.substr(0, colon);
  peer.not_found = fault.substr(colon + 2);
}

void read_running_peers(const TunnelStatus& status, Facts& facts) {
  facts.peers.clear();
  for (const tunnel_snapshot_peer& peer : status.peers) {
    PeerFacts out;
    out.public_key = public_key_text(peer.public_key);
    out.name = peer.name[0] != '\0' ? peer.name : out.public_key;
    if (peer.endpoint.family != TUNNEL_FAMILY_NONE) out.endpoint = address_text(peer.endpoint);
    read_fault(peer.not_resolved, out);
    for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
      out.allowed.push_back(prefix_text(peer.allowed_ips[i]));
    }
    out.live = is_live(status, peer);
    out.ahead = peer.latest_handshake_ns > status.now_ns + kSecond;
    facts.peers.push_back(std::move(out));
  }
}

void read_unknown_keys(const std::string& name, Counts& counts) {
  tunnel_events* events = nullptr;
  if (tunnel_events_open(nullptr, name.c_str(), 0, &events) != TUNNEL_OK) return;
  const Handle<tunnel_events, tunnel_events_close> owner(events);
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  for (int i = 0; i < kMostNotices && tunnel_events_next(events, &notice) == 1; ++i) {
    const std::string key = public_key_text(notice.public_key);
    const bool known = std::count(counts.unknown_keys.begin(), counts.unknown_keys.end(), key) != 0;
    if (notice.kind == TUNNEL_EVENT_UNKNOWN_KEY && !known) counts.unknown_keys.push_back(key);
  }
}

void read_running(const TunnelStatus& status, Facts& facts) {
  facts.running = true;
  facts.port = status.interface.port;
  facts.mark = status.interface.fwmark;
  facts.mtu = status.mtu;
  if (status.interface.has_key != 0) {
    facts.public_key = public_key_text(status.interface.public_key);
  }
  read_running_peers(status, facts);
  fill_counts(status.counters, status.engine, facts.counts);
  read_unknown_keys(status.name, facts.counts);
  facts.counts.forgotten_keys =
      facts.counts.unknown_keys.empty() ? facts.counts.drop(TUNNEL_DROP_UNKNOWN_PEER) : 0;
  // Those who have been added since are no strangers any more.
  std::erase_if(facts.counts.unknown_keys, [&](const std::string& key) {
    return std::any_of(facts.peers.begin(), facts.peers.end(),
                       [&](const PeerFacts& peer) { return peer.public_key == key; });
  });
}

void read_left(Facts& facts) {
  std::vector<std::string> running;
  if (list_tunnels(running) == TUNNEL_OK) facts.left = read_leftovers(running);
}

// Clients of a server have endpoints too, by the hundred.
void read_ways(Facts& facts) {
  std::size_t looked_at = 0;
  for (PeerFacts& peer : facts.peers) {
    if (peer.endpoint.empty() || !peer.not_found.empty() || !facts.is_about(peer)) continue;
    if (looked_at++ < kWays) {
      read_way(facts, peer);
    } else {
      ++facts.not_looked_at;
    }
  }
}

}  // namespace

void gather_machine(Facts& facts) {
  read_left(facts);
  read_machine(facts);
}

bool gather(const std::string& target, const std::string& peer, Facts& facts) {
  facts.only_peer = peer;
  facts.name = tunnel_name(target);
  const auto readings = read_statuses({facts.name}, TUNNEL_CONTROL_TIMEOUT_MS);
  const bool running = readings.front().result == TUNNEL_OK;
  facts.hangs = readings.front().result == TUNNEL_ERR_TIMEOUT;
  Target file;
  const bool has_file = !(facts.hangs ? find_target(target, file) : find_running(target, file));
  read_left(facts);
  if (!running && !facts.hangs && !has_file && !facts.is_left()) return false;
  ConfigHandle config;
  if (has_file) config = read_file(file.path, facts);
  if (running) read_running(readings.front().status, facts);
  read_machine(facts);
  if (config != nullptr) read_forwarding(config.get(), facts);
  if (facts.is_left()) return true;  // whatever else is found comes of that
  read_ways(facts);
  if (!running && !facts.hangs && config != nullptr) probe(config.get(), kProbePatience_ms, facts);
  return true;
}

}  // namespace simplevpn::doctor
