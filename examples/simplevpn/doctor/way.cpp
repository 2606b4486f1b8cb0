#include "way.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "../handles.h"

namespace simplevpn::doctor {
namespace {

constexpr int kEchoPatience_ms = 500;
constexpr int kNarrowPatience_ms = 300;  // for the ICMP message of a narrow place
constexpr int kNarrowPlaces = 3;         // on one way
constexpr std::uint32_t kLargest = 9000;

socklen_t length_of(const sockaddr* address) {
  return address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

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

// A connected socket that is routed as our datagrams are. Without privileges, -1 where there is a
// mark to be set.
int connected(const sockaddr* address, std::uint32_t mark) {
  const int handle = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool marked = mark == 0 || setsockopt(handle, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
  if (marked && connect(handle, address, length_of(address)) == 0) return handle;
  const int error = errno;
  close(handle);
  errno = error;
  return -1;
}

// One byte, which no WireGuard answers. A connected socket hears of the ICMP message that comes
// back when nobody listens; the tunnel's own socket, which is for all peers, does not.
bool refuses(const sockaddr* address, std::uint32_t mark) {
  const Descriptor handle(connected(address, mark));
  if (handle.get() < 0) return errno == ENETUNREACH;
  const char byte = 0;
  if (send(handle.get(), &byte, 1, 0) != 1) return errno == EHOSTUNREACH || errno == ENETUNREACH;
  pollfd waits{handle.get(), POLLIN, 0};
  if (poll(&waits, 1, kEchoPatience_ms) <= 0) return false;
  char answer;
  return recv(handle.get(), &answer, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN;
}

std::uint32_t known_mtu(int handle, bool v4) {
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (getsockopt(handle, level, v4 ? IP_MTU : IPV6_MTU, &mtu, &size) != 0) return 0;
  return static_cast<std::uint32_t>(mtu);
}

// Datagrams as large as the way is said to carry, not to be fragmented: a router with a narrower
// link says so. One that keeps silent is not found out.
std::uint32_t path_mtu(const sockaddr* address, std::uint32_t mark) {
  const bool v4 = address->sa_family == AF_INET;
  const Descriptor handle(connected(address, mark));
  if (handle.get() < 0) return 0;
  const int whole = v4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO;
  setsockopt(handle.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
             &whole, sizeof whole);
  std::uint32_t mtu = known_mtu(handle.get(), v4);
  const std::uint32_t headers = v4 ? 28 : 48;
  for (int i = 0; i < kNarrowPlaces && mtu > headers && mtu <= kLargest; ++i) {
    const std::vector<char> zeros(mtu - headers);
    (void)!send(handle.get(), zeros.data(), zeros.size(), 0);
    pollfd waits{handle.get(), POLLIN, 0};
    poll(&waits, 1, kNarrowPatience_ms);
    const std::uint32_t now = known_mtu(handle.get(), v4);
    if (now == mtu) break;
    mtu = now;
  }
  return mtu;
}

}  // namespace

// Where the kernel would send from tells which interface it would use.
Leads leads(const std::string& name, const sockaddr* address, std::uint32_t mark) {
  const Descriptor handle(connected(address, mark));
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  const bool known = handle.get() >= 0 &&
                     getsockname(handle.get(), reinterpret_cast<sockaddr*>(&from), &length) == 0;
  if (!known) return Leads::nowhere;
  return is_tunnels_address(name, from) ? Leads::inside : Leads::outside;
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
  peer.loops = leads(facts.name, found->ai_addr, facts.mark) == Leads::inside;
  peer.refused = !peer.live && !peer.loops && refuses(found->ai_addr, facts.mark);
  if (!peer.loops && !peer.refused) peer.path_mtu = path_mtu(found->ai_addr, facts.mark);
  freeaddrinfo(found);
}

}  // namespace simplevpn::doctor
