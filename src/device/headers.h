// headers.h — the fields of IP, TCP and UDP headers that splitting and merging packets touches (RFC
// 791, 8200, 9293, 768).
#pragma once

#include <cstdint>

#include "base/base.h"

namespace tunnel::device {

inline constexpr std::uint8_t kTcp = 6;  // protocol numbers
inline constexpr std::uint8_t kUdp = 17;

inline constexpr std::size_t kTcpHeaderSize = 20;  // without options
inline constexpr std::size_t kTcpHeaderMost = 60;
inline constexpr std::size_t kTcpSequence = 4;
inline constexpr std::size_t kTcpAcknowledged = 8;
inline constexpr std::size_t kTcpDataOffset = 12;
inline constexpr std::size_t kTcpFlags = 13;
inline constexpr std::size_t kTcpWindow = 14;
inline constexpr std::size_t kTcpChecksum = 16;
inline constexpr std::size_t kTcpUrgent = 18;

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;

inline constexpr std::size_t kUdpHeaderSize = 8;
inline constexpr std::size_t kUdpLength = 4;
inline constexpr std::size_t kUdpChecksum = 6;

inline bool is_ipv4(base::Bytes packet) noexcept {
  return packet[0] >> 4 == 4;
}

// Both addresses, which stand one behind the other. The packet has a whole fixed IP header.
inline base::Bytes addresses(base::Bytes packet) noexcept {
  return is_ipv4(packet) ? packet.subspan(12, 8) : packet.subspan(8, 32);
}

inline std::size_t tcp_header_size(const std::uint8_t* tcp) noexcept {
  return (tcp[kTcpDataOffset] >> 4) * std::size_t{4};
}

// What TCP and UDP sum besides their own bytes: addresses, protocol and length. Not folded.
std::uint32_t pseudo_sum(base::Bytes packet, std::uint8_t protocol, std::size_t length) noexcept;

// Gives an IP header a new total length: the field, and the checksum of an IPv4 header. `header` is
// the IP header with all its options.
void set_ip_length(base::MutableBytes header, std::size_t total) noexcept;

}  // namespace tunnel::device
