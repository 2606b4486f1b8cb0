// sockets_linux.h — the UDP sockets of a transport: one per IP family, on one port.
#pragma once

#include <array>
#include <span>

#include "transport/address_linux.h"

namespace tunnel::transport {

struct SocketOptions {
  std::uint32_t mark;
  std::uint32_t receive_buffer;
  std::uint32_t send_buffer;
  std::uint32_t families;  // TUNNEL_UDP_IPV4 | TUNNEL_UDP_IPV6
  bool trains;             // receive them, where the kernel has UDP_GRO
  tunnel_address bind;     // family NONE = any
};

inline constexpr std::size_t kIpv4 = 0;
inline constexpr std::size_t kIpv6 = 1;

struct Sockets {
  std::array<base::Descriptor, 2> family;  // kIpv4, kIpv6; one of them may be missing
  std::uint16_t port = 0;
};

// Opens what the machine has of the families asked for. Port 0: the kernel chooses one that is free
// in both. UNAVAILABLE when no family is there; IN_USE when the port is taken in either.
base::Result<Sockets> open_sockets(const SocketOptions& options, std::uint16_t port) noexcept;

// The same on the port that `old` still holds. `old` stays untouched in any case.
base::Result<Sockets> reopen_sockets(const SocketOptions& options, const Sockets& old) noexcept;

// Whether the kernel cuts messages into datagrams (UDP_SEGMENT). Older ones would send them whole.
bool takes_trains(const Sockets& sockets) noexcept;

// Lets trains come in one piece, or no longer: one that waits to be read then is unreadable.
void receive_trains(const Sockets& sockets, bool on) noexcept;

// Sets SO_MARK on every socket that is there.
std::int32_t set_mark(const Sockets& sockets, std::uint32_t mark) noexcept;

}  // namespace tunnel::transport
