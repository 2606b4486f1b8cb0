// addresses.h — outside addresses for tests.
#pragma once

#include <tunnel/packet.h>

#include "base/base.h"

namespace tunnel::protocol {

inline tunnel_address ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                           std::uint16_t port = 51820) {
  return {TUNNEL_FAMILY_IPV4, 0, port, 0, {a, b, c, d}};
}

inline tunnel_address ipv6(std::uint64_t prefix, std::uint64_t host, std::uint16_t port = 51820) {
  tunnel_address address{TUNNEL_FAMILY_IPV6, 0, port, 0, {}};
  base::store_be64(address.bytes, prefix);
  base::store_be64(address.bytes + 8, host);
  return address;
}

}  // namespace tunnel::protocol
