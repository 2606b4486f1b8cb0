#include "gather.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>

#include "../format.h"
#include "../privilege.h"
#include "../status.h"
#include "../target.h"
#include "probe.h"

namespace simplevpn::doctor {
namespace {

constexpr int kEchoPatience_ms = 500;
constexpr int kProbePatience_ms = 6000;  // one initiation, and the one after it five seconds later

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
  for (std::size_t i = 0; tunnel_config_warning(config, i, &issue) == TUNNEL_OK; ++i) {
    facts.file_warnings.emplace_back(issue.message);
  }
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  tunnel_config_get_interface(config, &interface);
  facts.port = interface.port;
  facts.mark = interface.fwmark;
  std::uint8_t key[TUNNEL_KEY_SIZE];
  if (interface.private_key != nullptr &&
      tunnel_key_public(interface.private_key, key) == TUNNEL_OK)
    facts.public_key = public_key_text(key);
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK; ++i) {
    read_peer(peer, facts);
  }
  return owner;
}

// ---- the tunnel that runs ----

void read_running_peers(const TunnelStatus& status, Facts& facts) {
  facts.peers.clear();
  for (const tunnel_snapshot_peer& peer : status.peers) {
    PeerFacts out;
    out.public_key = public_key_text(peer.public_key);
    out.name = peer.name[0] != '\0' ? peer.name : out.public_key;
    if (peer.endpoint.family != TUNNEL_FAMILY_NONE) out.endpoint = address_text(peer.endpoint);
    for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
      out.allowed.push_back(prefix_text(peer.allowed_ips[i]));
    }
    out.live = is_live(status, peer);
    facts.peers.push_back(std::move(out));
  }
}

void read_unknown_keys(const std::string& name, Counts& counts) {
  tunnel_events* events = nullptr;
  if (tunnel_events_open(nullptr, name.c_str(), 0, &events) != TUNNEL_OK) return;
  const Handle<tunnel_events, tunnel_events_close> owner(events);
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  while (tunnel_events_next(events, &notice) == 1) {
    const std::string key = public_key_text(notice.public_key);
    const bool known = std::count(counts.unknown_keys.begin(), counts.unknown_keys.end(), key) != 0;
    if (notice.kind == TUNNEL_EVENT_UNKNOWN_KEY && !known) counts.unknown_keys.push_back(key);
  }
}

void read_running(const TunnelStatus& status, Facts& facts) {
  facts.running = true;
  facts.port = status.interface.port;
  facts.mark = status.interface.fwmark;
  if (status.interface.has_key != 0) {
    facts.public_key = public_key_text(status.interface.public_key);
  }
  read_running_peers(status, facts);
  fill_counts(status.counters, status.engine, facts.counts);
  read_unknown_keys(status.name, facts.counts);
  // Those who have been added since are no strangers any more.
  std::erase_if(facts.counts.unknown_keys, [&](const std::string& key) {
    return std::any_of(facts.peers.begin(), facts.peers.end(),
                       [&](const PeerFacts& peer) { return peer.public_key == key; });
  });
}

// ---- the machine ----

std::string tun_error() {
  const Descriptor node(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  return node.get() >= 0 ? "" : std::strerror(errno);
}

bool is_port_taken(std::uint16_t port) {
  if (port == 0) return false;
  const Descriptor handle(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const auto* plain = reinterpret_cast<const sockaddr*>(&address);
  return bind(handle.get(), plain, sizeof address) != 0 && errno == EADDRINUSE;
}

std::string sysctl(const std::string& name) {
  std::ifstream file("/proc/sys/net/ipv4/conf/" + name);
  std::string value;
  file >> value;
  return value;
}

void read_machine(Facts& facts) {
  facts.may_administrate = has_net_admin();
  facts.tun_error = tun_error();
  facts.port_taken = !facts.running && is_port_taken(facts.port);
  facts.strict_reverse_path = sysctl("all/rp_filter") == "1";
  facts.marks_count_for_it = sysctl("all/src_valid_mark") == "1";
  facts.wall_s = static_cast<std::int64_t>(wall_now_ns() / 1'000'000'000);
}

// ---- the way to each endpoint ----

bool is_tunnels_address(const std::string& name, const sockaddr_storage& address) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return false;
  bool found = false;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || name != entry->ifa_name) continue;
    if (entry->ifa_addr->sa_family != address.ss_family) continue;
    const bool v4 = address.ss_family == AF_INET;
    const std::size_t at = v4 ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr);
    found = found || std::memcmp(reinterpret_cast<const char*>(entry->ifa_addr) + at,
                                 reinterpret_cast<const char*>(&address) + at, v4 ? 4 : 16) == 0;
  }
  freeifaddrs(first);
  return found;
}

// Where the kernel would send from tells which interface it would use.
bool loops(const Facts& facts, const addrinfo& to) {
  const Descriptor handle(socket(to.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (facts.mark != 0 &&
      setsockopt(handle.get(), SOL_SOCKET, SO_MARK, &facts.mark, sizeof facts.mark) != 0) {
    return false;  // without privileges the question cannot be asked
  }
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  return connect(handle.get(), to.ai_addr, to.ai_addrlen) == 0 &&
         getsockname(handle.get(), reinterpret_cast<sockaddr*>(&from), &length) == 0 &&
         is_tunnels_address(facts.name, from);
}

// One byte, which no WireGuard answers. A connected socket hears of the ICMP message that comes
// back when nobody listens; the tunnel's own socket, which is for all peers, does not.
bool refuses(const Facts& facts, const addrinfo& to) {
  const Descriptor handle(socket(to.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (facts.mark != 0) {
    setsockopt(handle.get(), SOL_SOCKET, SO_MARK, &facts.mark, sizeof facts.mark);
  }
  const char byte = 0;
  if (connect(handle.get(), to.ai_addr, to.ai_addrlen) != 0) return errno == ENETUNREACH;
  if (send(handle.get(), &byte, 1, 0) != 1) return errno == EHOSTUNREACH || errno == ENETUNREACH;
  pollfd waits{handle.get(), POLLIN, 0};
  if (poll(&waits, 1, kEchoPatience_ms) <= 0) return false;
  char answer;
  return recv(handle.get(), &answer, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN;
}

void read_way(const Facts& facts, PeerFacts& peer) {
  if (peer.endpoint.empty()) return;
  const std::size_t colon = peer.endpoint.rfind(':');
  std::string host = peer.endpoint.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), peer.endpoint.c_str() + colon + 1, &hints, &found);
  if (error != 0) {
    peer.not_found = gai_strerror(error);
    return;
  }
  peer.loops = loops(facts, *found);
  peer.refused = !peer.live && !peer.loops && refuses(facts, *found);
  freeaddrinfo(found);
}

}  // namespace

bool gather(const std::string& target, Facts& facts) {
  facts.name = tunnel_name(target);
  TunnelStatus status;
  const bool running = read_status(facts.name, status) == TUNNEL_OK;
  Target file;
  const bool has_file = !find_target(target, file);
  if (!running && !has_file) return false;
  ConfigHandle config;
  if (has_file) config = read_file(file.path, facts);
  if (running) read_running(status, facts);
  read_machine(facts);
  for (PeerFacts& peer : facts.peers) read_way(facts, peer);
  if (!running && config != nullptr) probe(config.get(), kProbePatience_ms, facts);
  return true;
}

}  // namespace simplevpn::doctor
