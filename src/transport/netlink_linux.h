// netlink_linux.h — cutting netlink messages (netlink(7)) into their parts.
//
// The kernel sent them; lengths are checked all the same, and structs are copied out.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/base.h"

namespace tunnel::transport {

// The struct at the start of `bytes`, which are then advanced past it (and its padding). False when
// they are too short.
template <class Struct>
bool take(base::Bytes& bytes, Struct& out) noexcept {
  if (bytes.size() < sizeof out) return false;
  std::memcpy(&out, bytes.data(), sizeof out);
  bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(sizeof out), bytes.size()));
  return true;
}

// What belongs to a header that was just taken and claims `length` bytes in all; `bytes` are
// advanced past it. Empty, and `bytes` too, when the claim is a lie.
template <class Header>
base::Bytes take_payload(base::Bytes& bytes, std::size_t length) noexcept {
  if (length < sizeof(Header) || length - sizeof(Header) > bytes.size()) {
    bytes = {};
    return {};
  }
  const std::size_t size = length - sizeof(Header);
  const base::Bytes payload = bytes.first(size);
  bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(size), bytes.size()));
  return payload;
}

}  // namespace tunnel::transport
