// status_read.cpp - gathers what is known about running tunnels: from their daemons, and from the
// kernel what other implementations do not tell.
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <future>
#include <optional>
#include <utility>

#include "format.h"
#include "status.h"

namespace simplevpn {
namespace {

std::uint8_t mask_length(const std::uint8_t* bytes, std::size_t count) {
  int length = 0;
  for (std::size_t i = 0; i < count; ++i) length += std::popcount(bytes[i]);
  return static_cast<std::uint8_t>(length);
}

std::optional<tunnel_prefix> prefix_of(const ifaddrs& entry) {
  tunnel_prefix prefix{};
  if (entry.ifa_addr == nullptr || entry.ifa_netmask == nullptr) return {};
  if (entry.ifa_addr->sa_family == AF_INET) {
    sockaddr_in address{};
    sockaddr_in mask{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    std::memcpy(&mask, entry.ifa_netmask, sizeof mask);
    prefix.family = TUNNEL_FAMILY_IPV4;
    std::memcpy(prefix.bytes, &address.sin_addr, 4);
    prefix.length = mask_length(reinterpret_cast<const std::uint8_t*>(&mask.sin_addr), 4);
    return prefix;
  }
  if (entry.ifa_addr->sa_family != AF_INET6) return {};
  sockaddr_in6 address{};
  sockaddr_in6 mask{};
  std::memcpy(&address, entry.ifa_addr, sizeof address);
  std::memcpy(&mask, entry.ifa_netmask, sizeof mask);
  if (IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) return {};
  prefix.family = TUNNEL_FAMILY_IPV6;
  std::memcpy(prefix.bytes, &address.sin6_addr, 16);
  prefix.length = mask_length(mask.sin6_addr.s6_addr, 16);
  return prefix;
}

// The kernel's view, so that it is right for other implementations too; empty when there is no
// interface of that name (a tunnel need not have one).
std::vector<std::string> interface_addresses(const std::string& name) {
  std::vector<std::string> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (name != entry->ifa_name) continue;
    if (const auto prefix = prefix_of(*entry)) addresses.push_back(prefix_text(*prefix));
  }
  freeifaddrs(first);
  return addresses;
}

bool is_link_up(const std::string& name) {
  const Descriptor socket_handle(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ioctl(socket_handle.get(), SIOCGIFFLAGS, &request) == 0 &&
         (request.ifr_flags & IFF_UP) != 0;
}

std::uint32_t interface_mtu(const std::string& name) {
  const Descriptor socket_handle(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket_handle.get(), SIOCGIFMTU, &request) != 0) return 0;
  return static_cast<std::uint32_t>(request.ifr_mtu);
}

bool carries(const TunnelStatus& status) {
  if (status.interface.ours != 0 && status.engine.running == 0) return false;
  return is_plain(status) || std::any_of(status.peers.begin(), status.peers.end(),
                                         [&](const auto& peer) { return is_live(status, peer); });
}

struct Answer {
  std::int32_t result = 0;
  SnapshotHandle snapshot;
};

Answer ask(const std::string& name, std::uint32_t patience_ms) {
  tunnel_snapshot* snapshot = nullptr;
  const std::int32_t result = tunnel_snapshot_read(nullptr, name.c_str(), patience_ms, &snapshot);
  return {result, SnapshotHandle(snapshot)};
}

void fill(const std::string& name, SnapshotHandle handle, TunnelStatus& status) {
  const tunnel_snapshot* snapshot = handle.get();
  status.name = name;
  status.snapshot = std::move(handle);
  status.now_ns = wall_now_ns();
  status.addresses = interface_addresses(name);
  status.link_up = is_link_up(name);
  tunnel_snapshot_get_interface(snapshot, &status.interface);
  tunnel_snapshot_get_counters(snapshot, &status.counters);
  tunnel_snapshot_get_engine(snapshot, &status.engine);
  status.mtu = status.interface.mtu != 0 ? status.interface.mtu : interface_mtu(name);
  tunnel_snapshot_peer peer = TUNNEL_SNAPSHOT_PEER_INIT;
  for (std::size_t i = 0; tunnel_snapshot_get_peer(snapshot, i, &peer) == TUNNEL_OK; ++i) {
    status.peers.push_back(peer);
  }
  status.in_force = read_in_force(name);
  status.blocked = status.in_force.kill_switch && !carries(status);
}

}  // namespace

std::vector<Reading> read_statuses(const std::vector<std::string>& names,
                                   std::uint32_t patience_ms) {
  std::vector<std::future<Answer>> asked;
  for (const std::string& name : names) {
    asked.push_back(std::async([&name, patience_ms] { return ask(name, patience_ms); }));
  }
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Answer answer = asked[i].get();
    readings.push_back({names[i], answer.result, {}});
    if (answer.result == TUNNEL_OK) {
      fill(names[i], std::move(answer.snapshot), readings.back().status);
    }
  }
  return readings;
}

std::int32_t list_tunnels(std::vector<std::string>& names) {
  std::vector<std::array<char, 16>> found(64);
  std::size_t count = 0;
  std::int32_t result = TUNNEL_OK;
  do {
    found.resize(std::max(found.size(), count));
    result = tunnel_control_list(nullptr, reinterpret_cast<char(*)[16]>(found.data()), found.size(),
                                 &count);
  } while (result == TUNNEL_OK && count > found.size());
  if (result != TUNNEL_OK) return result;
  for (std::size_t i = 0; i < count; ++i) names.emplace_back(found[i].data());
  return TUNNEL_OK;
}

}  // namespace simplevpn
