// ip.h — reading and writing the few fields of an IP header that a tunnel needs (RFC 791, RFC
// 8200).
//
// Everything read here comes from an attacker: lengths are checked before a field is used.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace tunnel::base {

inline constexpr std::size_t kIpv4HeaderSize = 20;
inline constexpr std::size_t kIpv6HeaderSize = 40;

// The routing part of an IP header. `source` and `destination` are 4 or 16 bytes inside the packet.
struct IpHeader {
  std::uint8_t family;         // TUNNEL_FAMILY_IPV4 or _IPV6
  std::uint32_t total_length;  // what the header claims, headers included; never above 65,575
  Bytes source;
  Bytes destination;
};

// Reads the header of an inside packet. Nothing when the version is neither 4 nor 6, when the
// packet is shorter than its header, or when the claimed length is shorter than the header or
// longer than the packet. Bytes after the claimed length are padding: the caller trims them.
std::optional<IpHeader> read_ip_header(Bytes packet) noexcept;

// Internet checksum (RFC 1071) of the bytes, added to an unfolded start value; folded and
// complemented.
std::uint16_t internet_checksum(Bytes bytes, std::uint32_t start = 0) noexcept;

// True when family, port, scope and address bytes are the same.
bool same_address(const tunnel_address& a, const tunnel_address& b) noexcept;

}  // namespace tunnel::base
