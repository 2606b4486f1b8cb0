#include "transport/address_linux.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

namespace tunnel::transport {

namespace {

std::uint16_t swapped(std::uint16_t port) noexcept {
  return ::htons(port);
}

// A scope means something for link-local addresses only; elsewhere it would pin the interface.
std::uint32_t scope_of(const tunnel_address& address) noexcept {
  const bool link_local = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
  return link_local ? address.scope : 0;
}

// Behind those that are there already.
template <class Info>
void write_control(int level, int type, const Info& info, ControlBuffer& buffer,
                   msghdr& message) noexcept {
  const cmsghdr header{CMSG_LEN(sizeof info), level, type};
  std::uint8_t* at = buffer.bytes.data() + message.msg_controllen;
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + CMSG_LEN(0), &info, sizeof info);
  message.msg_control = buffer.bytes.data();
  message.msg_controllen += CMSG_SPACE(sizeof info);
}

tunnel_address source_of(const in_pktinfo& info) noexcept {
  tunnel_address local{};
  local.family = TUNNEL_FAMILY_IPV4;
  local.scope = static_cast<std::uint32_t>(info.ipi_ifindex);
  std::memcpy(local.bytes, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
  return local;
}

tunnel_address source_of(const in6_pktinfo& info) noexcept {
  tunnel_address local{};
  local.family = TUNNEL_FAMILY_IPV6;
  local.scope = info.ipi6_ifindex;
  std::memcpy(local.bytes, &info.ipi6_addr, sizeof info.ipi6_addr);
  return local;
}

template <class Info>
bool is_control(const cmsghdr& header, int level, int type) noexcept {
  return header.cmsg_level == level && header.cmsg_type == type &&
         header.cmsg_len >= CMSG_LEN(sizeof(Info));
}

template <class Info>
Info read_control(const cmsghdr& header) noexcept {
  Info info;
  std::memcpy(&info, CMSG_DATA(&header), sizeof info);
  return info;
}

}  // namespace

socklen_t to_socket_address(const tunnel_address& address, SocketAddress& to) noexcept {
  if (address.family == TUNNEL_FAMILY_IPV4) {
    to.v4 = {};
    to.v4.sin_family = AF_INET;
    to.v4.sin_port = swapped(address.port);
    std::memcpy(&to.v4.sin_addr, address.bytes, sizeof to.v4.sin_addr);
    return sizeof to.v4;
  }
  if (address.family != TUNNEL_FAMILY_IPV6) return 0;
  to.v6 = {};
  to.v6.sin6_family = AF_INET6;
  to.v6.sin6_port = swapped(address.port);
  to.v6.sin6_scope_id = scope_of(address);
  std::memcpy(&to.v6.sin6_addr, address.bytes, sizeof to.v6.sin6_addr);
  return sizeof to.v6;
}

tunnel_address from_socket_address(const SocketAddress& from) noexcept {
  tunnel_address address{};
  if (from.any.sa_family == AF_INET) {
    address.family = TUNNEL_FAMILY_IPV4;
    address.port = swapped(from.v4.sin_port);
    std::memcpy(address.bytes, &from.v4.sin_addr, sizeof from.v4.sin_addr);
  } else if (from.any.sa_family == AF_INET6) {
    address.family = TUNNEL_FAMILY_IPV6;
    address.port = swapped(from.v6.sin6_port);
    address.scope = from.v6.sin6_scope_id;
    std::memcpy(address.bytes, &from.v6.sin6_addr, sizeof from.v6.sin6_addr);
  }
  return address;
}

// The interface is left to the routing table. Were it pinned, then Linux would take an IPv4
// destination that has no route through it for a neighbour on its link, and lose every datagram in
// silence once a default route has moved elsewhere.
void write_source(const tunnel_address& local, ControlBuffer& buffer, msghdr& message) noexcept {
  if (local.family == TUNNEL_FAMILY_IPV4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, local.bytes, sizeof info.ipi_spec_dst);
    write_control(IPPROTO_IP, IP_PKTINFO, info, buffer, message);
  } else {
    in6_pktinfo info{};
    info.ipi6_ifindex = scope_of(local);
    std::memcpy(&info.ipi6_addr, local.bytes, sizeof info.ipi6_addr);
    write_control(IPPROTO_IPV6, IPV6_PKTINFO, info, buffer, message);
  }
}

void write_segment(std::uint16_t length, ControlBuffer& buffer, msghdr& message) noexcept {
  write_control(IPPROTO_UDP, UDP_SEGMENT, length, buffer, message);
}

Controls read_controls(msghdr& message) noexcept {
  Controls controls{};
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    if (is_control<in_pktinfo>(*at, IPPROTO_IP, IP_PKTINFO)) {
      controls.local = source_of(read_control<in_pktinfo>(*at));
    } else if (is_control<in6_pktinfo>(*at, IPPROTO_IPV6, IPV6_PKTINFO)) {
      controls.local = source_of(read_control<in6_pktinfo>(*at));
    } else if (is_control<int>(*at, IPPROTO_UDP, UDP_GRO)) {
      controls.segment = static_cast<std::size_t>(std::max(read_control<int>(*at), 0));
    }
  }
  return controls;
}

}  // namespace tunnel::transport
