// address_linux.h — our addresses as the socket calls want them, and back.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>

#include "base/base.h"

namespace tunnel::transport {

// A socket address of either family. Zero is no address.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// Room for the control messages we send and receive: the local address of a datagram, and the
// length of the datagrams in a train.
struct ControlBuffer {
  alignas(cmsghdr)
      std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))> bytes;
};

// Fills `to` and returns its length; 0 when the family is neither IPv4 nor IPv6.
socklen_t to_socket_address(const tunnel_address& address, SocketAddress& to) noexcept;

tunnel_address from_socket_address(const SocketAddress& address) noexcept;

// Makes `message` leave from the address `local`, whose family is that of the message's name.
void write_source(const tunnel_address& local, ControlBuffer& buffer, msghdr& message) noexcept;

// Makes the kernel cut `message` into datagrams of `length` bytes. After write_source(), if at all.
void write_segment(std::uint16_t length, ControlBuffer& buffer, msghdr& message) noexcept;

// What the kernel says about a message that was read.
struct Controls {
  // The address it was sent to, with the interface it came in by as scope; family NONE when the
  // kernel did not say.
  tunnel_address local;
  std::size_t segment;  // length of the datagrams in a train, 0 = no train
};
Controls read_controls(msghdr& message) noexcept;

}  // namespace tunnel::transport
