#include "status.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>

#include "commands.h"
#include "daemon.h"
#include "format.h"
#include "target.h"

namespace simplevpn {
namespace {

constexpr std::uint64_t kRejectAfterTime_ns = 180'000'000'000;

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

std::uint32_t interface_mtu(const std::string& name) {
  const Descriptor socket_handle(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket_handle.get(), SIOCGIFMTU, &request) != 0) return 0;
  return static_cast<std::uint32_t>(request.ifr_mtu);
}

std::int32_t read_status(const std::string& name, TunnelStatus& status) {
  tunnel_snapshot* snapshot = nullptr;
  const std::int32_t result =
      tunnel_snapshot_read(nullptr, name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &snapshot);
  if (result != TUNNEL_OK) return result;
  status.name = name;
  status.snapshot.reset(snapshot);
  status.now_ns = wall_now_ns();
  status.addresses = interface_addresses(name);
  tunnel_snapshot_get_interface(snapshot, &status.interface);
  tunnel_snapshot_get_engine(snapshot, &status.engine);
  status.mtu = status.interface.mtu != 0 ? status.interface.mtu : interface_mtu(name);
  tunnel_snapshot_peer peer = TUNNEL_SNAPSHOT_PEER_INIT;
  for (std::size_t i = 0; tunnel_snapshot_get_peer(snapshot, i, &peer) == TUNNEL_OK; ++i) {
    status.peers.push_back(peer);
  }
  return TUNNEL_OK;
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

int refuse(const Output& output, std::int32_t result, const std::string& name) {
  if (result == TUNNEL_ERR_NOT_FOUND) {
    return fail(output, {.exit = kNotRunning,
                         .code = "E_NOT_RUNNING",
                         .message = name + " is not running",
                         .hint = "simplevpn up " + shell_quoted(name) + " starts it"});
  }
  int exit = result == TUNNEL_ERR_TIMEOUT ? kTimeout : kFailure;
  if (result == TUNNEL_ERR_ARGUMENT) exit = kUsage;
  return fail(output, status_failure(output, result, "ask the daemon of " + name, exit));
}

void print(const std::vector<TunnelStatus>& tunnels, const Output& output) {
  std::string text = output.json ? status_json(tunnels) : "";
  for (const TunnelStatus& tunnel : tunnels) {
    if (output.json) break;
    if (!text.empty()) text += "\n";
    text += status_table(tunnel, output.color);
  }
  std::fputs(text.c_str(), stdout);
}

}  // namespace

bool is_live(const TunnelStatus& status, const tunnel_snapshot_peer& peer) {
  return peer.latest_handshake_ns != 0 &&
         peer.latest_handshake_ns + kRejectAfterTime_ns > status.now_ns;
}

int status(const std::string& target, const Output& output) {
  const std::string name = tunnel_name(target);
  std::vector<std::string> names;
  if (!name.empty()) {
    names.push_back(name);
  } else if (const std::int32_t result = list_tunnels(names); result != TUNNEL_OK) {
    return fail(output, status_failure(output, result, "list the tunnels", kFailure));
  }
  std::vector<TunnelStatus> tunnels;
  for (const std::string& each : names) {
    TunnelStatus tunnel;
    const std::int32_t result = read_status(each, tunnel);
    const bool ended_meanwhile = name.empty() && result == TUNNEL_ERR_NOT_FOUND;
    if (ended_meanwhile) continue;
    if (result != TUNNEL_OK) return refuse(output, result, each);
    tunnels.push_back(std::move(tunnel));
  }
  print(tunnels, output);
  if (tunnels.empty() && !output.json) advise(output, "no tunnel is running");
  return kOk;
}

}  // namespace simplevpn
