#include "transport/sockets_linux.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace tunnel::transport {

using base::Descriptor;
using base::Error;
using base::Result;

namespace {

constexpr int kPortAttempts = 16;  // a port free in IPv4 is hardly ever taken in IPv6

enum class Sharing : bool { exclusive, shared };

bool set_option(int fd, int level, int name, int value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// The forced variant passes the limit of the machine but needs privileges. Less is not an error.
void set_buffer(int fd, int forced, int plain, std::uint32_t bytes) noexcept {
  const int value = static_cast<int>(std::min<std::uint32_t>(bytes, INT_MAX / 2));
  if (!set_option(fd, SOL_SOCKET, forced, value)) set_option(fd, SOL_SOCKET, plain, value);
}

// Outer datagrams may be fragmented, as those of the kernel's WireGuard: with an inside MTU of 1420
// on a path of 1400, a set DF bit would turn every full packet into EMSGSIZE, or into silence where
// the ICMP answers are filtered. Fragments are slow but arrive; a lower MTU makes them unnecessary.
bool set_family_options(int fd, std::size_t family) noexcept {
  if (family == kIpv4) {
    return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
           set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  }
  return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

// Kernels that cannot say whether they do it, do it with errors (before 5.12).
void set_trains(int fd, bool on) noexcept {
  int done = 0;
  socklen_t size = sizeof done;
  if (!set_option(fd, IPPROTO_UDP, UDP_GRO, on ? 1 : 0) || !on) return;
  if (::getsockopt(fd, IPPROTO_UDP, UDP_GRO, &done, &size) == 0) return;
  set_option(fd, IPPROTO_UDP, UDP_GRO, 0);
}

bool wanted(const SocketOptions& options, std::size_t family) noexcept {
  const std::uint32_t bit = family == kIpv4 ? TUNNEL_UDP_IPV4 : TUNNEL_UDP_IPV6;
  const std::uint8_t bound = options.bind.family;
  if (bound == TUNNEL_FAMILY_NONE) return (options.families & bit) != 0;
  return (options.families & bit) != 0 && (bound == TUNNEL_FAMILY_IPV4) == (family == kIpv4);
}

bool bind_to(int fd, std::size_t family, const tunnel_address& local, std::uint16_t port) noexcept {
  tunnel_address address = local;
  address.family = family == kIpv4 ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
  address.port = port;
  SocketAddress name;
  const socklen_t length = to_socket_address(address, name);
  return ::bind(fd, &name.any, length) == 0;
}

std::uint16_t port_of(int fd) noexcept {
  SocketAddress name{};
  socklen_t length = sizeof name;
  if (::getsockname(fd, &name.any, &length) != 0) return 0;
  return from_socket_address(name).port;
}

// UNAVAILABLE when the machine has no such family, or it was not asked for.
Result<Descriptor> open_family(const SocketOptions& options, std::size_t family, std::uint16_t port,
                               Sharing sharing) noexcept {
  if (!wanted(options, family)) return Error{TUNNEL_ERR_UNAVAILABLE};
  const int domain = family == kIpv4 ? AF_INET : AF_INET6;
  Descriptor fd(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd.valid()) return Error{base::status_of(errno)};
  set_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  set_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  if (options.trains) set_trains(fd.get(), true);
  const bool configured =
      set_family_options(fd.get(), family) &&
      (options.mark == 0 ||
       set_option(fd.get(), SOL_SOCKET, SO_MARK, static_cast<int>(options.mark))) &&
      (sharing == Sharing::exclusive || set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1)) &&
      bind_to(fd.get(), family, options.bind, port);
  if (!configured) return Error{base::status_of(errno)};
  return fd;
}

bool missing(const Result<Descriptor>& socket) noexcept {
  return socket.status() == TUNNEL_ERR_UNAVAILABLE;
}

Descriptor take(Result<Descriptor>& socket) noexcept {
  return socket ? std::move(*socket) : Descriptor();
}

// One attempt. IPv6 gets the port that IPv4 got.
Result<Sockets> open_both(const SocketOptions& options, std::uint16_t port,
                          Sharing sharing) noexcept {
  auto v4 = open_family(options, kIpv4, port, sharing);
  if (!v4 && !missing(v4)) return Error{v4.status()};
  if (v4) port = port_of(v4->get());
  auto v6 = open_family(options, kIpv6, port, sharing);
  if (!v6 && !(missing(v6) && v4)) return Error{v6.status()};
  if (v6) port = port_of(v6->get());
  return Sockets{{take(v4), take(v6)}, port};
}

void set_sharing(const Sockets& sockets, Sharing sharing) noexcept {
  for (const auto& fd : sockets.family) {
    if (fd.valid()) set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, sharing == Sharing::shared);
  }
}

}  // namespace

Result<Sockets> open_sockets(const SocketOptions& options, std::uint16_t port) noexcept {
  auto sockets = open_both(options, port, Sharing::exclusive);
  for (int i = 1; port == 0 && sockets.status() == TUNNEL_ERR_IN_USE && i < kPortAttempts; ++i) {
    sockets = open_both(options, port, Sharing::exclusive);
  }
  return sockets;
}

// Both generations hold the port for a moment, so that failing leaves the old one in its place. It
// is shared only while this runs: otherwise any program of the same user could join us.
Result<Sockets> reopen_sockets(const SocketOptions& options, const Sockets& old) noexcept {
  set_sharing(old, Sharing::shared);
  auto sockets = open_both(options, old.port, Sharing::shared);
  set_sharing(old, Sharing::exclusive);
  if (sockets) set_sharing(*sockets, Sharing::exclusive);
  return sockets;
}

bool takes_trains(const Sockets& sockets) noexcept {
  return std::ranges::any_of(sockets.family, [](const Descriptor& fd) {
    int length = 0;
    socklen_t size = sizeof length;
    return fd.valid() && ::getsockopt(fd.get(), IPPROTO_UDP, UDP_SEGMENT, &length, &size) == 0;
  });
}

void receive_trains(const Sockets& sockets, bool on) noexcept {
  for (const auto& fd : sockets.family) {
    if (fd.valid()) set_trains(fd.get(), on);
  }
}

std::int32_t set_mark(const Sockets& sockets, std::uint32_t mark) noexcept {
  for (const auto& fd : sockets.family) {
    if (fd.valid() && !set_option(fd.get(), SOL_SOCKET, SO_MARK, static_cast<int>(mark))) {
      return base::status_of(errno);
    }
  }
  return TUNNEL_OK;
}

}  // namespace tunnel::transport
