#include "transport/monitor_linux.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "transport/netlink_linux.h"

namespace tunnel::transport {

using base::Bytes;
using base::Descriptor;
using base::Error;
using base::Result;

namespace {

constexpr std::uint64_t kGone = 0;     // state of what was deleted
constexpr std::uint64_t kPresent = 1;  // set in the state of everything that is there

// FNV-1a: spreads the few known links and addresses over the table.
std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) hash = (hash ^ (value >> (8 * i) & 0xff)) * 0x100000001b3;
  return hash;
}

std::uint64_t hash_of(std::uint64_t kind, std::uint64_t index) noexcept {
  return mix(mix(0xcbf29ce484222325, kind), index);
}

// Hash of the address that the attributes of an ifaddrmsg name, and of its interface.
std::uint64_t address_identity(const ifaddrmsg& address, Bytes attributes) noexcept {
  std::uint64_t hash = hash_of(address.ifa_family, address.ifa_index);
  rtattr attribute;
  while (take(attributes, attribute)) {
    const Bytes payload = take_payload<rtattr>(attributes, attribute.rta_len);
    if (attribute.rta_type != IFA_ADDRESS && attribute.rta_type != IFA_LOCAL) continue;
    for (const std::uint8_t byte : payload) hash = mix(hash, byte);
  }
  return hash;
}

// What matters of a link: whether it carries packets, and how large ones. Statistics and wireless
// events come as messages about links too.
std::uint64_t link_state(const ifinfomsg& link, Bytes attributes) noexcept {
  const std::uint64_t up = link.ifi_flags & (IFF_UP | IFF_RUNNING);
  std::uint32_t mtu = 0;
  rtattr attribute;
  while (take(attributes, attribute)) {
    Bytes value = take_payload<rtattr>(attributes, attribute.rta_len);
    if (attribute.rta_type == IFLA_MTU) take(value, mtu);
  }
  return std::uint64_t{mtu} << 32 | up << 1 | kPresent;
}

}  // namespace

Result<NetworkMonitor> NetworkMonitor::open() noexcept {
  Descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid()) return Error{base::status_of(errno)};
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return Error{base::status_of(errno)};
  }
  return NetworkMonitor(std::move(fd));
}

bool NetworkMonitor::drain() noexcept {
  alignas(nlmsghdr) std::array<std::uint8_t, 16384> buffer;
  bool changed = false;
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      changed = true;  // more happened than the socket holds
      continue;
    }
    if (got <= 0) return changed;
    changed = take_messages({buffer.data(), static_cast<std::size_t>(got)}) || changed;
  }
}

bool NetworkMonitor::take_messages(Bytes bytes) noexcept {
  bool changed = false;
  nlmsghdr header;
  while (take(bytes, header)) {
    const Bytes message = take_payload<nlmsghdr>(bytes, header.nlmsg_len);
    changed = is_change(header.nlmsg_type, message) || changed;
  }
  return changed;
}

bool NetworkMonitor::is_change(std::uint16_t type, Bytes message) noexcept {
  if (type == RTM_NEWLINK || type == RTM_DELLINK) {
    ifinfomsg link;
    if (!take(message, link)) return false;
    const std::uint64_t state = type == RTM_NEWLINK ? link_state(link, message) : kGone;
    return is_news(hash_of(AF_UNSPEC, static_cast<std::uint64_t>(link.ifi_index)), state);
  }
  if (type == RTM_NEWADDR || type == RTM_DELADDR) {
    ifaddrmsg address;
    if (!take(message, address)) return false;
    const std::uint64_t usable = address.ifa_flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED);
    const std::uint64_t state = type == RTM_NEWADDR ? usable << 1 | kPresent : kGone;
    return is_news(address_identity(address, message), state);
  }
  rtmsg route;
  const bool about_route = type == RTM_NEWROUTE || type == RTM_DELROUTE;
  return about_route && take(message, route) && (route.rtm_flags & RTM_F_CLONED) == 0;
}

// Two identities that share a place push each other out: then a refresh counts as a change, which
// costs a keepalive and nothing else.
bool NetworkMonitor::is_news(std::uint64_t identity, std::uint64_t state) noexcept {
  Known& known = known_[identity % known_.size()];
  if (known.identity == identity && known.state == state) return false;
  known = {identity, state};
  return true;
}

}  // namespace tunnel::transport
