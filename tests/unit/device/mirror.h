// mirror.h — a neighbour for a TUN: each packet that is read is written back with its addresses
// exchanged. So one socket of the local IP stack talks with another through the interface;
// exchanged addresses change no checksum.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/base.h"
#include "device/tun_linux.h"
#include "support/shapes.h"
#include "unit/device/tun.h"

namespace test {

inline const tunnel::device::Tun::Counts& counts(const TunDevice& device) {
  return tunnel::base::device_as<tunnel::device::Tun>(device)->counts();
}

inline constexpr std::uint16_t kPort = 4000;

struct Address {
  sockaddr_in6 bytes{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

// Our own address, or that of the neighbour who is our mirror image.
inline Address address(bool ipv6, unsigned last, std::uint16_t port = kPort) {
  Address out;
  if (ipv6) {
    out.bytes.sin6_family = AF_INET6;
    out.bytes.sin6_port = ::htons(port);
    out.bytes.sin6_addr.s6_addr[0] = 0xfd;
    out.bytes.sin6_addr.s6_addr[15] = static_cast<std::uint8_t>(last);
    out.size = sizeof(sockaddr_in6);
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = ::htons(port);
    four.sin_addr.s_addr = ::htonl(0x0a090000 + last);
    std::memcpy(&out.bytes, &four, sizeof four);
    out.size = sizeof four;
  }
  return out;
}

inline void bring_up_both(const std::string& name) {
  run_command("sysctl -qw net.ipv6.conf." + name + ".accept_dad=0");
  run_command("ip address add 10.9.0.1/24 dev " + name);
  run_command("ip address add fd00::1/64 nodad dev " + name);
  run_command("ip link set " + name + " up");
}

// Reads once and writes back what came. Returns how many packets that were.
inline std::int32_t reflect(TunDevice& device, Slab& slab) {
  const std::int32_t count = read(device, slab);
  REQUIRE(count >= 0);
  for (std::int32_t i = 0; i < count; ++i) {
    auto& packet = slab.packets[static_cast<std::size_t>(i)];
    REQUIRE(packet.length <= 1420);
    REQUIRE(packet.flags == 0);
    const bool ipv4 = packet.data[0] >> 4 == 4;
    std::uint8_t* addresses = packet.data + (ipv4 ? 12 : 8);
    const std::size_t width = ipv4 ? 4 : 16;
    std::swap_ranges(addresses, addresses + width, addresses + width);
    packet.verdict = TUNNEL_VERDICT_DELIVER;
  }
  if (count == 0) return 0;
  REQUIRE(device.ops->write(device.self, slab.packets.data(), static_cast<std::size_t>(count)) ==
          0);
  for (std::int32_t i = 0; i < count; ++i) {
    REQUIRE(slab.packets[static_cast<std::size_t>(i)].verdict == TUNNEL_VERDICT_SENT);
  }
  return count;
}

// Two ends of a TCP connection through the mirror.
struct Connection {
  Connection(TunDevice& device, Slab& slab, bool ipv6) {
    const int family = ipv6 ? AF_INET6 : AF_INET;
    const int listener = ::socket(family, SOCK_STREAM, 0);
    const Address own = address(ipv6, 1, 0);  // any port
    REQUIRE(::bind(listener, own.get(), own.size) == 0);
    sockaddr_in6 bound{};
    socklen_t size = sizeof bound;
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size) == 0);
    const Address neighbour = address(ipv6, 2, ::ntohs(bound.sin6_port));
    REQUIRE(::listen(listener, 1) == 0);
    near = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    REQUIRE((::connect(near, neighbour.get(), neighbour.size) != 0 && errno == EINPROGRESS));
    pollfd waiting{listener, POLLIN, 0};
    while (::poll(&waiting, 1, 0) == 0) step(device, slab);
    far = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    REQUIRE(far >= 0);
    ::close(listener);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    ::close(near);
    ::close(far);
  }

  static void step(TunDevice& device, Slab& slab) {
    REQUIRE(ready(device, kPatience_ms));
    reflect(device, slab);
  }

  // Sends the bytes from one end to the other.
  [[nodiscard]] std::string carry(TunDevice& device, Slab& slab, const std::string& bytes) const {
    std::size_t sent = 0;
    std::string received;
    std::vector<char> part(1 << 20);
    while (received.size() < bytes.size()) {
      const auto more = ::send(near, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (more > 0) sent += static_cast<std::size_t>(more);
      const auto got = ::recv(far, part.data(), part.size(), 0);
      if (got > 0) received.append(part.data(), static_cast<std::size_t>(got));
      if (more <= 0 && got <= 0) step(device, slab);
      if (ready(device)) reflect(device, slab);
    }
    return received;
  }

  int near = -1;
  int far = -1;
};

// True when the bytes arrived as they were sent.
inline bool transfers(TunDevice& device, Slab& slab, bool ipv6 = false,
                      std::size_t size = 4 << 20) {
  const std::string bytes = Random(9).text(size);
  const Connection connection(device, slab, ipv6);
  return connection.carry(device, slab, bytes) == bytes;
}

}  // namespace test
